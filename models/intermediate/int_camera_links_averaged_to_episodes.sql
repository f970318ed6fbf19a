{{ config(materialized='incremental') }}

with

camera_links as (

    select * from {{ changed_rows('camera_links') }}

),

inferences as (

    select * from {{ ref('int_inferences_changed') }}
    where is_baseline

),

queries as (

    select * from {{ ref('stg_raw__queries') }}
    where kind = 'group'

),

averaged_to_episodes as (

    -- The gain is taken where both correlations stand, keyframe by keyframe.
    select
        inferences.run_id,
        inferences.episode_id,
        camera_links.pass,
        camera_links.denoise_step,
        camera_links.layer,
        queries.name as query,
        camera_links.camera,
        camera_links.other_camera,
        {{ is_last_prefix_layer('camera_links.pass', 'camera_links.layer', 'inferences.n_layers') }}
            as is_last_prefix_layer,
        count(*) as n_frames,
        count(*) - count(camera_links.correlation) as n_undefined,
        avg(camera_links.correlation) as correlation,
        avg(camera_links.other_frame_correlation) as other_frame_correlation,
        avg(camera_links.correlation - camera_links.other_frame_correlation) as correlation_gain,
        avg(camera_links.mass_share) as mass_share,
        avg(camera_links.other_mass_share) as other_mass_share,
        avg(camera_links.n_patches) as n_patches,
        min(camera_links.reason) as reason
    from camera_links
    inner join inferences
        on
            camera_links.run_id = inferences.run_id
            and camera_links.inference_id = inferences.inference_id
    inner join queries
        on
            inferences.run_id = queries.run_id
            and inferences.layout_id = queries.layout_id
            and camera_links.pass = queries.pass
            and camera_links.query_index = queries.query_index
    group by all

)

select * from averaged_to_episodes
