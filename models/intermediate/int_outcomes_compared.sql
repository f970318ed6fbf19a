with

groups as (

    select * from {{ ref('int_episode_values_listed') }}

),

compared as (

    -- Ours read the mean over query rows, the seed's metrics its maximum.
    select
        run_id,
        family,
        metric,
        pass,
        denoise_step,
        query,
        rows,
        camera,
        layer,
        any_value(episode_values) filter (where outcome = 'success') as success_values,
        any_value(episode_values) filter (where outcome = 'failure') as failure_values,
        any_value(task_numbers) filter (where outcome = 'success') as success_tasks,
        any_value(task_numbers) filter (where outcome = 'failure') as failure_tasks,
        alpha,
        min_episodes,
        {{ group_seed('run_seed', ["'outcome_tests'"]) }} as seed
    from groups
    where
        outcome in ('success', 'failure')
        and not is_last_prefix_layer
        and (
            topic = 'modality balance'
            or (
                topic = 'object attention'
                and role = 'target'
                and (
                    (metric in ('log_lift', 'mass_share') and rows = 'mean')
                    or (metric like '%\_seed' escape '\' and rows = 'max')
                )
            )
        )
    group by all

)

select * from compared
