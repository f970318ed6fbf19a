with

issues as (

    select * from {{ ref('stg_raw__issues') }}

)

select * from issues
