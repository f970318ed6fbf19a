with

units as (

    select * from {{ ref('stg_raw__units') }}

),

counted as (

    select
        run_id,
        condition_group,
        status,
        reason,
        count(*) as n_units
    from units
    group by all

)

select * from counted
