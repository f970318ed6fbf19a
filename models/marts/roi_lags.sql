with

frames as (

    select * from {{ ref('int_roi_averaged_to_frames') }}
    where role in ('target', 'gripper', 'goal')

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

lags as (

    select unnest([1, 2, 3, 4]) as lag_keyframes

),

episodes as (

    select
        here.run_id,
        here.episode_id,
        here.pass,
        here.denoise_step,
        here.layer,
        here.query,
        here.camera,
        here.role,
        lags.lag_keyframes,
        count(*) as n_pairs,
        corr(here.mass_share, later.mass_share) as correlation
    from frames as here
    cross join lags
    inner join frames as later
        on
            here.run_id = later.run_id
            and here.episode_id = later.episode_id
            and here.pass = later.pass
            and here.denoise_step = later.denoise_step
            and here.layer = later.layer
            and here.query = later.query
            and here.camera = later.camera
            and here.role = later.role
            and here.keyframe + lags.lag_keyframes = later.keyframe
    group by all

),

averaged_over_episodes as (

    -- A correlation of fewer than four pairs says nothing, and constant shares have none (NaN, made 1 by bounds).
    select
        episodes.run_id,
        episodes.pass,
        episodes.denoise_step,
        episodes.layer,
        episodes.query,
        episodes.camera,
        episodes.role,
        episodes.lag_keyframes,
        {{ is_last_prefix_layer('episodes.pass', 'episodes.layer', 'runs.n_layers') }} as is_last_prefix_layer,
        count(*) as n_episodes,
        avg(greatest(-1, least(1, episodes.correlation))) as mean_correlation,
        stddev_samp(greatest(-1, least(1, episodes.correlation))) as std_correlation
    from episodes
    inner join runs
        on episodes.run_id = runs.run_id
    where
        episodes.n_pairs >= 4
        and isfinite(episodes.correlation)
    group by all

)

select * from averaged_over_episodes
