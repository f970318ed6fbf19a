{%- set object_metrics = [
    'log_lift', 'lift', 'mass_share', 'overlap_ratio_seed', 'attention_concentration_seed', 'iou_seed',
] -%}

{{ config(materialized='table') }}

with

object_attention as (

    select * from {{ ref('object_attention_by_episode') }}

),

modality_balance as (

    select * from {{ ref('modality_balance_by_episode') }}

),

action_shifts as (

    select * from {{ ref('int_action_shifts_averaged_to_episodes') }}

),

experiments as (

    select * from {{ ref('int_experiments_averaged_to_episodes') }}

),

differences as (

    select * from {{ ref('int_episode_differences_paired') }}

),

camera_agreement as (

    select * from {{ ref('int_camera_links_averaged_to_episodes') }}

),

outcomes as (

    select * from {{ ref('int_episodes_grouped_by_outcome') }}

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

unpivoted as (

    {% for metric in object_metrics -%}
    select
        run_id,
        'object attention' as topic,
        '{{ metric }}' as metric,
        pass,
        denoise_step,
        query,
        rows,
        camera,
        role,
        layer,
        is_last_prefix_layer,
        episode_id,
        {{ metric }} as value
    from object_attention
    where
        against = 'own'
        and role in ('target', 'distractor')

    union all by name

    {% endfor -%}
    select
        run_id,
        'modality balance' as topic,
        'log_ratio' as metric,
        'suffix' as pass,
        denoise_step,
        'action' as query,
        layer,
        false as is_last_prefix_layer,
        task,
        suite,
        episode_id,
        log_ratio as value
    from modality_balance

    union all by name

    select
        run_id,
        'action shift' as topic,
        'mse_standardised' as metric,
        false as is_last_prefix_layer,
        condition_id,
        episode_id,
        mse_standardised as value
    from action_shifts
    where
        condition_kind = 'paraphrase'
        or not is_same_object

    union all by name

    select
        run_id,
        'experiment' as topic,
        'mse_standardised' as metric,
        false as is_last_prefix_layer,
        condition_id,
        episode_id,
        mse_standardised as value
    from experiments

    union all by name

    select
        run_id,
        'paired difference' as topic,
        estimand as metric,
        pass,
        denoise_step,
        query,
        rows,
        camera,
        layer,
        is_last_prefix_layer,
        condition_id,
        episode_id,
        value
    from differences

    {% for metric in ['correlation', 'correlation_gain'] -%}
    union all by name

    select
        run_id,
        'camera agreement' as topic,
        '{{ metric }}' as metric,
        pass,
        denoise_step,
        query,
        camera,
        other_camera,
        layer,
        is_last_prefix_layer,
        episode_id,
        {{ metric }} as value
    from camera_agreement

    {% endfor %}

),

grouped as (

    select
        unpivoted.run_id,
        unpivoted.topic,
        {{ family_name('unpivoted.metric') }} as family,
        unpivoted.* exclude (run_id, topic, task, suite, episode_id, value),
        outcomes.outcome,
        outcomes.task_of_episode,
        unpivoted.episode_id,
        unpivoted.value
    from unpivoted
    inner join outcomes
        on
            unpivoted.run_id = outcomes.run_id
            and unpivoted.episode_id = outcomes.episode_id
    where
        unpivoted.topic not in ('paired difference', 'experiment')
        or outcomes.outcome = 'all'

    union all by name

    select
        run_id,
        'modality balance by task' as topic,
        {{ family_name() }} as family,
        * exclude (run_id, topic, suite),
        'all' as outcome,
        task as task_of_episode
    from unpivoted
    where topic = 'modality balance'

    union all by name

    select
        run_id,
        'modality balance by suite' as topic,
        {{ family_name() }} as family,
        * exclude (run_id, topic, task),
        'all' as outcome,
        task as task_of_episode
    from unpivoted
    where topic = 'modality balance'

),

listed as (

    select
        grouped.* exclude (episode_id, task_of_episode, value),
        count(*) as n,
        list(grouped.episode_id order by grouped.episode_id) as episode_ids,
        list(grouped.value order by grouped.episode_id) as episode_values,
        list(grouped.task_of_episode order by grouped.episode_id) as episode_tasks,
        runs.alpha,
        runs.n_resamples,
        runs.min_episodes,
        runs.seed as run_seed
    from grouped
    inner join runs
        on grouped.run_id = runs.run_id
    where grouped.value is not null
    group by all

),

seeded as (

    -- The bootstrap's seed hangs on n alone: groups of n episodes share their draws.
    select
        *,
        {{ group_seed('run_seed', ["'bootstrap'", 'n']) }} as bootstrap_seed
    from listed

)

select * from seeded
