with

inferences as (

    select * from {{ ref('int_inferences_selected') }}

),

conditions as (

    select * from {{ ref('stg_raw__conditions') }}

),

changed as (

    select * from inferences
    where condition_kind in ('prompt', 'paraphrase')

),

baselines as (

    select * from inferences
    where is_baseline

),

paired as (

    select
        changed.run_id,
        changed.inference_id,
        baselines.inference_id as baseline_id,
        changed.episode_id,
        changed.frame_index,
        changed.condition_id,
        changed.condition_kind,
        changed.layout_id,
        changed.outcome,
        changed.n_layers,
        changed.named_object,
        -- Without masks nobody knows what prompts name; presets that keep the instruction's object say so themselves.
        coalesce(
            changed.named_object = baselines.named_object,
            (conditions.params ->> '$.is_same_object') = 'true',
            false
        ) as is_same_object
    from changed
    inner join conditions
        on
            changed.run_id = conditions.run_id
            and changed.condition_id = conditions.condition_id
    inner join baselines
        on
            changed.run_id = baselines.run_id
            and changed.episode_id = baselines.episode_id
            and changed.frame_index = baselines.frame_index

)

select * from paired
