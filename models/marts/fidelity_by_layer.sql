with

episodes as (

    select * from {{ ref('int_occlusions_compared') }}

),

curves as (

    select
        run_id,
        layer,
        camera,
        fill,
        avg(auc) filter (where curve = 'delete') as deletion_auc,
        avg(auc) filter (where curve = 'insert') as insertion_auc
    from {{ ref('int_occlusion_curves_integrated') }}
    group by all

),

noises as (

    -- Noises that ran in one episode and not in another do not shift the floor: episodes weigh alike.
    select
        run_id,
        episode_id,
        avg(mse_standardised) as mse_standardised
    from {{ ref('int_experiments_averaged_to_episodes') }}
    where condition_kind = 'noise'
    group by all

),

noise_floors as (

    select
        run_id,
        avg(mse_standardised) as noise_floor
    from noises
    group by run_id

),

tests as (

    select * from {{ ref('paired_tests') }}
    where estimand = 'error_high_minus_control'

),

tests_seed as (

    select * from {{ ref('int_fidelity_seed_tested') }}

),

averaged as (

    select
        run_id,
        layer,
        camera,
        fill,
        any_value(query) as query,
        any_value(is_last_prefix_layer) as is_last_prefix_layer,
        count(fidelity) as n_episodes,
        avg(error_high) as mean_error_high,
        avg(error_control) as mean_error_control,
        avg(fidelity) as mean_fidelity,
        stddev_samp(fidelity) as std_fidelity,
        avg(mse_high_seed) as mean_mse_high_seed,
        avg(mse_low_seed) as mean_mse_low_seed,
        avg(fidelity_seed) as mean_fidelity_seed,
        case
            when avg(fidelity_seed) > 0.1 then 'strong'
            when avg(fidelity_seed) < 0 then 'misleading'
            when avg(fidelity_seed) is not null then 'not informative'
        end as label_seed
    from episodes
    group by run_id, layer, camera, fill

)

select
    averaged.*,
    tests_seed.p_seed,
    tests.low,
    tests.high,
    tests.p,
    tests.p_holm,
    tests.family_size,
    noise_floors.noise_floor,
    curves.deletion_auc,
    curves.insertion_auc
from averaged
left join tests
    on
        averaged.run_id = tests.run_id
        and averaged.layer = tests.layer
        and averaged.camera = tests.camera
        and tests.condition_id = 'occlusion:' || averaged.fill
left join tests_seed
    on
        averaged.run_id = tests_seed.run_id
        and averaged.layer = tests_seed.layer
        and averaged.camera = tests_seed.camera
        and averaged.fill = tests_seed.fill
left join noise_floors
    on averaged.run_id = noise_floors.run_id
left join curves
    on
        averaged.run_id = curves.run_id
        and averaged.layer = curves.layer
        and averaged.camera = curves.camera
        and averaged.fill = curves.fill
