{{ config(materialized='incremental') }}

with

groups as (

    select frames.*
    from {{ ref('int_roi_averaged_to_frames') }} as frames
    semi join {{ ref('int_episodes_changed') }} as episodes
        on
            frames.run_id = episodes.run_id
            and frames.episode_id = episodes.episode_id

),

tokens as (

    select * from {{ ref('int_action_token_attention_averaged_to_frames') }}

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

averaged_to_thirds as (

    -- Whole episodes and their thirds.
    select
        run_id,
        episode_id,
        pass,
        denoise_step,
        layer,
        query,
        camera,
        role,
        coalesce(third, 'all') as third,
        count(*) as n_frames,
        avg(mass_share) as mass_share,
        avg(log_lift) as log_lift
    from groups
    group by grouping sets (
        (run_id, episode_id, pass, denoise_step, layer, query, camera, role),
        (run_id, episode_id, pass, denoise_step, layer, query, camera, role, third)
    )

),

averaged_tokens as (

    select
        run_id,
        episode_id,
        pass,
        denoise_step,
        layer,
        'action' as query,
        action_token,
        camera,
        role,
        'all' as third,
        count(*) as n_frames,
        avg(mass_share) as mass_share,
        avg(mass_seed) as mass_seed
    from tokens
    group by all

),

unioned as (

    select * from averaged_to_thirds
    union all by name
    select * from averaged_tokens

),

flagged as (

    select
        unioned.run_id,
        unioned.episode_id,
        unioned.pass,
        unioned.denoise_step,
        unioned.layer,
        unioned.query,
        unioned.action_token,
        unioned.camera,
        unioned.role,
        unioned.third,
        unioned.n_frames,
        unioned.mass_share,
        unioned.log_lift,
        unioned.mass_seed,
        {{ is_last_prefix_layer('unioned.pass', 'unioned.layer', 'runs.n_layers') }} as is_last_prefix_layer
    from unioned
    inner join runs
        on unioned.run_id = runs.run_id

)

select * from flagged
