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

category_masses as materialized (

    select
        inferences.run_id,
        inferences.episode_id,
        inferences.frame_index,
        inferences.condition_id,
        inferences.condition_kind,
        inferences.named_object,
        object_metrics.pass,
        object_metrics.denoise_step,
        object_metrics.layer,
        queries.name as query,
        object_metrics.rows,
        object_metrics.camera,
        objects.category,
        sum(object_metrics.mass_share) as mass_share
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
        object_metrics.head = -1
        and object_metrics.against = 'own'
        and (
            inferences.is_baseline
            or (
                inferences.condition_kind in ('prompt', 'paraphrase')
                and inferences.named_object = objects.category
            )
        )
    group by all

),

compared as (

    select
        changed.run_id,
        changed.episode_id,
        changed.frame_index,
        changed.condition_id,
        changed.pass,
        changed.denoise_step,
        changed.layer,
        changed.query,
        changed.rows,
        changed.camera,
        changed.mass_share as mass_share_named,
        baseline.mass_share as mass_share_named_baseline
    from category_masses as changed
    inner join category_masses as baseline
        on
            changed.run_id = baseline.run_id
            and changed.episode_id = baseline.episode_id
            and changed.frame_index = baseline.frame_index
            and changed.pass = baseline.pass
            and changed.denoise_step = baseline.denoise_step
            and changed.layer = baseline.layer
            and changed.query = baseline.query
            and changed.rows = baseline.rows
            and changed.camera = baseline.camera
            and changed.category = baseline.category
    where
        changed.condition_kind in ('prompt', 'paraphrase')
        and baseline.condition_kind = 'baseline'
        and changed.mass_share is not null
        and baseline.mass_share is not null

)

select * from compared
