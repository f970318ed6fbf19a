with

episodes as (

    select * from {{ ref('int_knockouts_compared') }}

),

actions as (

    select * from {{ ref('int_mean_actions') }}

),

conditions as (

    select
        run_id,
        condition_id,
        params ->> '$.arm' as arm,
        params ->> '$.cut' as cut,
        (params ->> '$.layer')::integer as layer
    from {{ ref('stg_raw__conditions') }}
    where kind = 'knockout'

),

tests as (

    select * from {{ ref('paired_tests') }}
    where estimand = 'error_cut_minus_control'

),

dimensions_of_frames as (

    select
        actions.run_id,
        conditions.cut,
        conditions.layer,
        actions.episode_id,
        actions.frame_index,
        actions.noise_index,
        actions.dimension,
        avg(actions.value) filter (where conditions.arm = 'cut')
        - avg(actions.value) filter (where conditions.arm = 'control') as effect
    from actions
    inner join conditions
        on
            actions.run_id = conditions.run_id
            and actions.condition_id = conditions.condition_id
    group by all

),

dimensions_of_episodes as (

    select
        run_id,
        cut,
        layer,
        episode_id,
        dimension,
        avg(effect) as effect
    from dimensions_of_frames
    group by all

),

dimensions as (

    select
        run_id,
        cut,
        layer,
        dimension,
        avg(effect) as effect
    from dimensions_of_episodes
    group by all

),

total_effects as (

    select
        run_id,
        cut,
        layer,
        list(effect order by dimension) as total_effect
    from dimensions
    where effect is not null
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
    total_effects.total_effect
from averaged
left join tests
    on
        averaged.run_id = tests.run_id
        and tests.condition_id = 'knockout:' || averaged.cut
        and averaged.layer is not distinct from tests.layer
left join total_effects
    on
        averaged.run_id = total_effects.run_id
        and averaged.cut = total_effects.cut
        and averaged.layer is not distinct from total_effects.layer
