with

frames as (

    select * from {{ ref('stg_raw__frames') }}

)

select * from frames
