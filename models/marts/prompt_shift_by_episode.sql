{%- set measures = [
    'mean_diff', 'abs_mean_diff', 'max_increase', 'max_decrease', 'l2_distance', 'correlation', 'shift_magnitude',
    'centroid_shift_px', 'l2_unit', 'total_variation', 'jsd',
] -%}

{{ config(materialized='incremental') }}

with

map_shifts as (

    select * from {{ changed_rows('map_shifts') }}

),

prompts as (

    select pairs.*
    from {{ ref('int_prompts_paired_with_baselines') }} as pairs
    semi join {{ ref('int_episodes_changed') }} as episodes
        on
            pairs.run_id = episodes.run_id
            and pairs.episode_id = episodes.episode_id

),

queries as (

    select * from {{ ref('stg_raw__queries') }}

),

named_objects as (

    select * from {{ ref('int_named_object_masses_compared') }}

),

frames as (

    select
        prompts.* exclude (n_layers),
        map_shifts.pass,
        map_shifts.denoise_step,
        map_shifts.layer,
        queries.name as query,
        map_shifts.rows,
        map_shifts.camera,
        {{ is_last_prefix_layer('map_shifts.pass', 'map_shifts.layer', 'prompts.n_layers') }} as is_last_prefix_layer,
        {% for measure in measures -%}
            map_shifts.{{ measure }}{{ ',' if not loop.last }}
        {% endfor -%}
    from map_shifts
    inner join prompts
        on
            map_shifts.run_id = prompts.run_id
            and map_shifts.inference_id = prompts.inference_id
            and map_shifts.baseline_id = prompts.baseline_id
    inner join queries
        on
            prompts.run_id = queries.run_id
            and prompts.layout_id = queries.layout_id
            and map_shifts.pass = queries.pass
            and map_shifts.query_index = queries.query_index
    where map_shifts.head = -1

),

averaged_to_episodes as (

    select
        frames.run_id,
        frames.episode_id,
        frames.outcome,
        frames.condition_id,
        frames.condition_kind,
        max(frames.named_object) as named_object,
        bool_or(frames.is_same_object) as is_same_object,
        frames.pass,
        frames.denoise_step,
        frames.layer,
        frames.query,
        frames.rows,
        frames.camera,
        count(*) as n_frames,
        {% for measure in measures -%}
            avg(frames.{{ measure }}) as {{ measure }},
        {% endfor -%}
        count(named_objects.mass_share_named) as n_frames_named,
        avg(named_objects.mass_share_named) as mass_share_named,
        avg(named_objects.mass_share_named_baseline) as mass_share_named_baseline,
        avg(named_objects.mass_share_named - named_objects.mass_share_named_baseline) as mass_gain_named,
        frames.is_last_prefix_layer
    from frames
    left join named_objects
        on
            frames.run_id = named_objects.run_id
            and frames.episode_id = named_objects.episode_id
            and frames.frame_index = named_objects.frame_index
            and frames.condition_id = named_objects.condition_id
            and frames.pass = named_objects.pass
            and frames.denoise_step = named_objects.denoise_step
            and frames.layer = named_objects.layer
            and frames.query = named_objects.query
            and frames.rows = named_objects.rows
            and frames.camera = named_objects.camera
    group by all

)

select * from averaged_to_episodes
