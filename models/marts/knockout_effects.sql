with

episodes as (

    select * from {{ ref('int_knockouts_compared') }}

),

tests as (

    select * from {{ ref('paired_tests') }}
    where estimand = 'error_cut_minus_control'

),

intervals as (

    select * from {{ ref('bootstrap_intervals') }}
    where topic = 'total effect'

),

total_effects as (

    -- Every episode has all dimensions, so that one number of episodes says it for them.
    select
        run_id,
        condition_id,
        layer,
        max(n) as n_episodes_total_effect,
        list(estimate order by dimension) as total_effect,
        list(bca_low order by dimension) as total_effect_low,
        list(bca_high order by dimension) as total_effect_high
    from intervals
    group by all

),

averaged as (

    select
        run_id,
        cut,
        query,
        keys,
        layer,
        count(error_cut) as n_episodes,
        avg(error_cut) as mean_error_cut,
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
    tests.family_size,
    total_effects.total_effect,
    total_effects.total_effect_low,
    total_effects.total_effect_high,
    total_effects.n_episodes_total_effect
from averaged
left join tests
    on
        averaged.run_id = tests.run_id
        and tests.condition_id = 'knockout:' || averaged.cut
        and averaged.layer is not distinct from tests.layer
left join total_effects
    on
        averaged.run_id = total_effects.run_id
        and total_effects.condition_id = 'knockout:' || averaged.cut
        and averaged.layer is not distinct from total_effects.layer
