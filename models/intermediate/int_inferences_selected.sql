{{ config(materialized='table') }}

with

inferences as (

    select * from {{ ref('stg_raw__inferences') }}

),

conditions as (

    select * from {{ ref('stg_raw__conditions') }}

),

episodes as (

    select * from {{ ref('stg_raw__episodes') }}

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

selected as (

    select
        inferences.run_id,
        inferences.inference_id,
        inferences.episode_id,
        inferences.frame_index,
        inferences.condition_id,
        conditions.kind as condition_kind,
        conditions.kind = 'baseline' as is_baseline,
        inferences.noise_index,
        inferences.layout_id,
        inferences.named_object,
        episodes.outcome,
        episodes.task,
        runs.n_layers
    from inferences
    inner join conditions
        on
            inferences.run_id = conditions.run_id
            and inferences.condition_id = conditions.condition_id
    inner join episodes
        on
            inferences.run_id = episodes.run_id
            and inferences.episode_id = episodes.episode_id
    inner join runs
        on inferences.run_id = runs.run_id
    where
        inferences.status = 'ok'
        and inferences.noise_index = 0

)

select * from selected
