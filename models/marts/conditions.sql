with

conditions as (

    select * from {{ ref('stg_raw__conditions') }}

)

select * from conditions
