with

action_effects as (

    select * from {{ ref('stg_raw__action_effects') }}

),

inferences as (

    select * from {{ ref('stg_raw__inferences') }}

),

conditions as (

    select * from {{ ref('stg_raw__conditions') }}
    where kind in ('occlusion', 'knockout', 'ablation', 'randomised', 'augmentation', 'noise')

),

joined as (

    select
        action_effects.run_id,
        inferences.inference_id,
        action_effects.baseline_id,
        inferences.episode_id,
        inferences.frame_index,
        inferences.noise_index,
        inferences.condition_id,
        conditions.kind as condition_kind,
        conditions.params ->> '$.arm' as arm,
        (conditions.params ->> '$.layer')::integer as layer,
        conditions.params ->> '$.query' as query,
        conditions.params ->> '$.camera' as camera,
        conditions.params ->> '$.fill' as fill,
        (conditions.params ->> '$.share')::double as share,
        conditions.params ->> '$.region' as region,
        conditions.params ->> '$.cut' as cut,
        conditions.params ->> '$.keys' as keys,
        action_effects.mse,
        action_effects.mse_standardised
    from action_effects
    inner join inferences
        on
            action_effects.run_id = inferences.run_id
            and action_effects.inference_id = inferences.inference_id
    inner join conditions
        on
            inferences.run_id = conditions.run_id
            and inferences.condition_id = conditions.condition_id
    where inferences.status = 'ok'

)

select * from joined
