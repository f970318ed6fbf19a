with

effects as (

    select * from {{ ref('int_experiment_effects') }}

),

averaged_to_episodes as (

    select
        run_id,
        episode_id,
        condition_id,
        condition_kind,
        count(*) as n_inferences,
        avg(mse) as mse,
        avg(mse_standardised) as mse_standardised
    from effects
    group by all

)

select * from averaged_to_episodes
