with

inferences as (

    select * from {{ ref('int_inferences_selected') }}

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
        coalesce(changed.named_object = baselines.named_object, false) as is_same_object
    from changed
    inner join baselines
        on
            changed.run_id = baselines.run_id
            and changed.episode_id = baselines.episode_id
            and changed.frame_index = baselines.frame_index

)

select * from paired
