with

effects as (

    select * from {{ ref('int_experiment_effects') }}
    where
        condition_kind = 'occlusion'
        and layer is not null

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

frames as (

    -- High and control of the same picture under the same noise; several controls count as their mean.
    select
        run_id,
        episode_id,
        frame_index,
        noise_index,
        layer,
        query,
        camera,
        fill,
        if(query = 'instruction', 'prefix', 'suffix') as pass,
        avg(mse_standardised) filter (where arm = 'high') as error_high,
        avg(mse_standardised) filter (where arm = 'control') as error_control,
        avg(mse) filter (where arm = 'high_seed') as mse_high_seed,
        avg(mse) filter (where arm = 'low_seed') as mse_low_seed
    from effects
    group by all

),

averaged_to_episodes as (

    select
        frames.run_id,
        frames.episode_id,
        frames.layer,
        frames.query,
        frames.camera,
        frames.fill,
        {{ is_last_prefix_layer('frames.pass', 'frames.layer', 'runs.n_layers') }} as is_last_prefix_layer,
        count(*) as n_pictures,
        avg(frames.error_high) as error_high,
        avg(frames.error_control) as error_control,
        avg(frames.error_high - frames.error_control) as fidelity,
        avg(frames.mse_high_seed) as mse_high_seed,
        avg(frames.mse_low_seed) as mse_low_seed,
        avg(frames.mse_high_seed - frames.mse_low_seed) as fidelity_seed
    from frames
    inner join runs
        on frames.run_id = runs.run_id
    group by all

)

select * from averaged_to_episodes
