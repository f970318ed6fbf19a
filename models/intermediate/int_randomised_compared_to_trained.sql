{{ config(materialized='incremental') }}

with

inferences as (

    select * from {{ ref('int_inferences_changed') }}

),

conditions as (

    select
        run_id,
        condition_id,
        (params ->> '$.n_layers')::integer as n_layers_randomised
    from {{ ref('stg_raw__conditions') }}
    where kind = 'randomised'

),

queries as (

    select * from {{ ref('stg_raw__queries') }}

),

paired as (

    select
        changed.run_id,
        changed.inference_id,
        baselines.inference_id as baseline_id,
        changed.episode_id,
        changed.frame_index,
        changed.layout_id,
        changed.n_layers,
        changed.condition_id,
        conditions.n_layers_randomised
    from inferences as changed
    inner join conditions
        on
            changed.run_id = conditions.run_id
            and changed.condition_id = conditions.condition_id
    inner join inferences as baselines
        on
            changed.run_id = baselines.run_id
            and changed.episode_id = baselines.episode_id
            and changed.frame_index = baselines.frame_index
    where baselines.is_baseline

),

map_shifts as (

    select * from {{ changed_rows('map_shifts') }}
    where
        head = -1
        and rows = 'mean'

),

object_metrics as (

    select * from {{ changed_rows('object_metrics') }}
    where
        head = -1
        and rows = 'mean'
        and against = 'own'

),

objects as (

    select * from {{ ref('stg_raw__objects') }}
    where role = 'target'

),

targets as (

    select
        paired.run_id,
        paired.inference_id,
        randomised.pass,
        randomised.denoise_step,
        randomised.layer,
        randomised.query_index,
        randomised.camera,
        avg(randomised.log_lift) as target_log_lift,
        avg(randomised.log_lift - trained.log_lift) as target_log_lift_change,
        avg(randomised.mass_share - trained.mass_share) as target_mass_share_change
    from paired
    inner join object_metrics as randomised
        on
            paired.run_id = randomised.run_id
            and paired.inference_id = randomised.inference_id
    inner join object_metrics as trained
        on
            paired.run_id = trained.run_id
            and paired.baseline_id = trained.inference_id
            and randomised.pass = trained.pass
            and randomised.denoise_step = trained.denoise_step
            and randomised.layer = trained.layer
            and randomised.query_index = trained.query_index
            and randomised.camera = trained.camera
            and randomised.object_index = trained.object_index
    inner join objects
        on
            paired.run_id = objects.run_id
            and paired.episode_id = objects.episode_id
            and paired.frame_index = objects.frame_index
            and randomised.camera = objects.camera
            and randomised.object_index = objects.object_index
    group by all

),

averaged_to_episodes as (

    select
        paired.run_id,
        paired.episode_id,
        paired.condition_id,
        paired.n_layers_randomised,
        map_shifts.pass,
        map_shifts.denoise_step,
        map_shifts.layer,
        queries.name as query,
        map_shifts.camera,
        map_shifts.layer >= paired.n_layers - paired.n_layers_randomised as is_randomised,
        {{ is_last_prefix_layer('map_shifts.pass', 'map_shifts.layer', 'paired.n_layers') }} as is_last_prefix_layer,
        count(*) as n_pictures,
        avg(map_shifts.correlation) as correlation,
        avg(map_shifts.jsd) as jsd,
        avg(targets.target_log_lift) as target_log_lift,
        avg(targets.target_log_lift_change) as target_log_lift_change,
        avg(targets.target_mass_share_change) as target_mass_share_change
    from paired
    inner join map_shifts
        on
            paired.run_id = map_shifts.run_id
            and paired.inference_id = map_shifts.inference_id
            and paired.baseline_id = map_shifts.baseline_id
    inner join queries
        on
            paired.run_id = queries.run_id
            and paired.layout_id = queries.layout_id
            and map_shifts.pass = queries.pass
            and map_shifts.query_index = queries.query_index
    left join targets
        on
            paired.run_id = targets.run_id
            and paired.inference_id = targets.inference_id
            and map_shifts.pass = targets.pass
            and map_shifts.denoise_step = targets.denoise_step
            and map_shifts.layer = targets.layer
            and map_shifts.query_index = targets.query_index
            and map_shifts.camera = targets.camera
    group by all

)

select * from averaged_to_episodes
