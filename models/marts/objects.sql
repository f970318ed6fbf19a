with

objects as (

    select * from {{ ref('stg_raw__objects') }}

)

select * from objects
