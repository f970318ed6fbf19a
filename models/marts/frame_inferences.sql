{{ config(materialized='view') }}

with

inferences as (

    select * from {{ ref('stg_raw__inferences') }}

),

selected as (

    select * from {{ ref('int_inferences_selected') }}

),

joined as (

    select
        selected.run_id,
        selected.episode_id,
        selected.frame_index,
        selected.condition_id,
        selected.condition_kind,
        inferences.prompt,
        inferences.actions
    from selected
    inner join inferences
        on
            selected.run_id = inferences.run_id
            and selected.inference_id = inferences.inference_id
    where selected.condition_kind in ('baseline', 'prompt')

)

select * from joined
