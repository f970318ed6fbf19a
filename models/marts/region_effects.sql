with

episodes as (

    select * from {{ ref('int_regions_compared') }}

),

tests as (

    select * from {{ ref('paired_tests') }}
    where estimand = 'error_region_minus_control'

),

averaged as (

    select
        run_id,
        region,
        camera,
        fill,
        count(error_region) as n_episodes,
        avg(error_region) as mean_error_region,
        avg(error_control) as mean_error_control,
        avg(difference) as mean_difference
    from episodes
    group by all

)

select
    averaged.*,
    tests.low,
    tests.high,
    tests.p,
    tests.p_holm,
    tests.family_size
from averaged
left join tests
    on
        averaged.run_id = tests.run_id
        and averaged.camera = tests.camera
        and tests.condition_id = 'region:' || averaged.region || '.' || averaged.fill
