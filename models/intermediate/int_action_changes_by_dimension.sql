with

action_effects as (

    select * from {{ ref('stg_raw__action_effects') }}

),

prompts as (

    select
        run_id,
        inference_id,
        episode_id,
        condition_id,
        condition_kind
    from {{ ref('int_prompts_paired_with_baselines') }}
    where
        condition_kind = 'paraphrase'
        or not is_same_object

),

experiments as (

    select
        run_id,
        inference_id,
        episode_id,
        condition_id,
        condition_kind
    from {{ ref('int_experiment_effects') }}

),

changed as (

    select * from prompts
    union all
    select * from experiments

),

numbers as (

    select
        run_id,
        inference_id,
        unnest(per_dim) as squared_change,
        generate_subscripts(per_dim, 1) as dimension
    from action_effects

),

averaged_to_episodes as (

    select
        changed.run_id,
        changed.episode_id,
        changed.condition_id,
        changed.condition_kind,
        numbers.dimension,
        avg(numbers.squared_change) as squared_change
    from changed
    inner join numbers
        on
            changed.run_id = numbers.run_id
            and changed.inference_id = numbers.inference_id
    group by all

)

select * from averaged_to_episodes
