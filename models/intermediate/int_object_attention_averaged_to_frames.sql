{%- set metrics = [
    'mass_share', 'lift', 'log_lift', 'precision', 'recall', 'dice', 'iou_p75', 'iou_p90', 'ap',
    'pointing_hit', 'overlap_ratio_seed', 'attention_concentration_seed', 'iou_seed',
    'mean_attn_inside_seed', 'mean_attn_outside_seed',
] -%}

with

object_metrics as (

    select * from {{ changed_rows('object_metrics') }}

),

inferences as (

    select * from {{ ref('int_inferences_changed') }}

),

queries as (

    select * from {{ ref('stg_raw__queries') }}

),

objects as (

    select * from {{ ref('stg_raw__objects') }}

),

averaged_to_frames as (

    select
        inferences.run_id,
        inferences.episode_id,
        inferences.frame_index,
        object_metrics.pass,
        object_metrics.denoise_step,
        object_metrics.layer,
        queries.name as query,
        object_metrics.rows,
        object_metrics.camera,
        objects.role,
        object_metrics.against,
        count(object_metrics.mass_share) as n_objects,
        avg(object_metrics.area_share) as area_share,
        {% for metric in metrics -%}
            avg(object_metrics.{{ metric }}) as {{ metric }}{{ ',' if not loop.last }}
        {% endfor -%}
    from object_metrics
    inner join inferences
        on
            object_metrics.run_id = inferences.run_id
            and object_metrics.inference_id = inferences.inference_id
    inner join queries
        on
            inferences.run_id = queries.run_id
            and inferences.layout_id = queries.layout_id
            and object_metrics.pass = queries.pass
            and object_metrics.query_index = queries.query_index
    inner join objects
        on
            inferences.run_id = objects.run_id
            and inferences.episode_id = objects.episode_id
            and inferences.frame_index = objects.frame_index
            and object_metrics.camera = objects.camera
            and object_metrics.object_index = objects.object_index
    where
        inferences.is_baseline
        and object_metrics.head = -1
        and objects.role is not null
    group by all

)

select * from averaged_to_frames
