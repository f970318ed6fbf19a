{{ config(materialized='incremental') }}

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

joined as (

    select
        inferences.run_id,
        inferences.episode_id,
        inferences.frame_index,
        object_metrics.camera,
        object_metrics.pass,
        object_metrics.denoise_step,
        object_metrics.layer,
        queries.name as query,
        queries.query_index,
        object_metrics.object_index,
        objects.category,
        objects.role,
        object_metrics.mass_share,
        object_metrics.area_share,
        object_metrics.lift,
        object_metrics.pointing_hit,
        object_metrics.overlap_ratio_seed,
        object_metrics.reason
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
        and object_metrics.rows = 'mean'
        and object_metrics.against = 'own'

)

select * from joined
