{{ config(materialized='view') }}

with

attention_maps as (

    select * from {{ ref('stg_raw__attention_maps') }}

),

inferences as (

    select * from {{ ref('int_inferences_selected') }}

),

queries as (

    select * from {{ ref('stg_raw__queries') }}

),

frames as (

    select * from {{ ref('stg_raw__frames') }}

),

joined as (

    select
        inferences.run_id,
        inferences.episode_id,
        inferences.frame_index,
        attention_maps.camera,
        inferences.condition_id,
        attention_maps.pass,
        attention_maps.denoise_step,
        attention_maps.layer,
        queries.name as query,
        queries.query_index,
        attention_maps.rows,
        attention_maps.head,
        attention_maps.map,
        attention_maps.mass,
        frames.pictures ->> attention_maps.camera as picture,
        frames.masks ->> attention_maps.camera as mask,
        {{ is_last_prefix_layer('attention_maps.pass', 'attention_maps.layer', 'inferences.n_layers') }}
            as is_last_prefix_layer
    from attention_maps
    inner join inferences
        on
            attention_maps.run_id = inferences.run_id
            and attention_maps.inference_id = inferences.inference_id
    inner join queries
        on
            inferences.run_id = queries.run_id
            and inferences.layout_id = queries.layout_id
            and attention_maps.pass = queries.pass
            and attention_maps.query_index = queries.query_index
    inner join frames
        on
            inferences.run_id = frames.run_id
            and inferences.episode_id = frames.episode_id
            and inferences.frame_index = frames.frame_index
    where
        attention_maps.head >= -1
        and attention_maps.rows = 'mean'
        and inferences.condition_kind in ('baseline', 'prompt')

)

select * from joined
