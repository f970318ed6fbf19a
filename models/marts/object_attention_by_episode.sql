{%- set metrics = [
    'mass_share', 'area_share', 'lift', 'log_lift', 'precision', 'recall', 'dice', 'iou_p75', 'iou_p90', 'ap',
    'pointing_hit', 'overlap_ratio_seed', 'attention_concentration_seed', 'iou_seed',
    'mean_attn_inside_seed', 'mean_attn_outside_seed',
] -%}

{{ config(materialized='incremental') }}

with

frames as (

    select * from {{ ref('int_object_attention_averaged_to_frames') }}

),

episodes as (

    select * from {{ ref('stg_raw__episodes') }}

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

averaged_to_episodes as (

    select
        run_id,
        episode_id,
        pass,
        denoise_step,
        layer,
        query,
        rows,
        camera,
        role,
        against,
        count(mass_share) as n_frames,
        sum(n_objects)::bigint as n_objects,
        {% for metric in metrics -%}
            avg({{ metric }}) as {{ metric }}{{ ',' if not loop.last }}
        {% endfor -%}
    from frames
    group by all

),

joined as (

    select
        averaged_to_episodes.run_id,
        averaged_to_episodes.episode_id,
        episodes.outcome,
        averaged_to_episodes.* exclude (run_id, episode_id),
        {{ is_last_prefix_layer() }} as is_last_prefix_layer
    from averaged_to_episodes
    inner join episodes
        on
            averaged_to_episodes.run_id = episodes.run_id
            and averaged_to_episodes.episode_id = episodes.episode_id
    inner join runs
        on averaged_to_episodes.run_id = runs.run_id

)

select * from joined
