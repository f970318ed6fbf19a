with

action_effects as (

    select * from {{ ref('stg_raw__action_effects') }}

),

prompts as (

    select * from {{ ref('int_prompts_paired_with_baselines') }}

),

averaged_to_episodes as (

    select
        prompts.run_id,
        prompts.episode_id,
        prompts.outcome,
        prompts.condition_id,
        prompts.condition_kind,
        bool_or(prompts.is_same_object) as is_same_object,
        count(*) as n_frames,
        avg(action_effects.mse) as mse,
        avg(action_effects.mse_standardised) as mse_standardised
    from action_effects
    inner join prompts
        on
            action_effects.run_id = prompts.run_id
            and action_effects.inference_id = prompts.inference_id
            and action_effects.baseline_id = prompts.baseline_id
    group by all

)

select * from averaged_to_episodes
