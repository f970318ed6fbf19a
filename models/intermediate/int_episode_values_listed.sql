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

action_changes as (

    select * from {{ ref('int_action_changes_by_dimension') }}

),

total_effects as (

    select * from {{ ref('int_total_effects_averaged_to_episodes') }}

),

randomised as (

    select * from {{ ref('int_randomised_compared_to_trained') }}

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
        'action change by dimension' as topic,
        'squared_change' as metric,
        false as is_last_prefix_layer,
        condition_id,
        dimension,
        episode_id,
        squared_change as value
    from action_changes

    union all by name

    {% for metric in [
        'correlation', 'jsd', 'target_log_lift', 'target_log_lift_change', 'target_mass_share_change',
    ] -%}
    select
        run_id,
        'sanity' as topic,
        '{{ metric }}' as metric,
        pass,
        denoise_step,
        query,
        camera,
        layer,
        is_last_prefix_layer,
        condition_id,
        episode_id,
        {{ metric }} as value
    from randomised

    union all by name

    {% endfor -%}
    select
        run_id,
        'total effect' as topic,
        'total_effect' as metric,
        false as is_last_prefix_layer,
        'knockout:' || cut as condition_id,
        layer,
        dimension,
        episode_id,
        effect as value
    from total_effects

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

numbered as (

    select
        {{ family_name('unpivoted.metric') }} as family,
        unpivoted.* exclude (episode_id),
        outcomes.outcome,
        outcomes.episode_number,
        outcomes.task_number
    from unpivoted
    inner join outcomes
        on
            unpivoted.run_id = outcomes.run_id
            and unpivoted.episode_id = outcomes.episode_id
    where
        unpivoted.value is not null
        and (
            unpivoted.topic not in (
                'paired difference', 'experiment', 'action change by dimension', 'sanity', 'total effect'
            )
            or outcomes.outcome = 'all'
        )

),

grouped as (

    select * exclude (task, suite) from numbered

    union all by name

    select * exclude (suite) replace ('modality balance by task' as topic) from numbered
    where
        topic = 'modality balance'
        and outcome = 'all'

    union all by name

    select * exclude (task) replace ('modality balance by suite' as topic) from numbered
    where
        topic = 'modality balance'
        and outcome = 'all'

),

collected as (

    -- One list of numbers alone, sorted when it is whole: three lists that are kept in order take four times as long.
    select
        * exclude (episode_number, task_number, value),
        count(*) as n,
        list_sort(list({ 'episode': episode_number, 'task': task_number, 'value': value })) as episodes
    from grouped
    group by all

),

listed as (

    select
        collected.* exclude (episodes),
        list_transform(collected.episodes, lambda episode: episode['episode']) as episode_numbers,
        list_transform(collected.episodes, lambda episode: episode['value']) as episode_values,
        list_transform(collected.episodes, lambda episode: episode['task']) as task_numbers,
        runs.alpha,
        runs.n_resamples,
        runs.min_episodes,
        runs.seed as run_seed
    from collected
    inner join runs
        on collected.run_id = runs.run_id

),

seeded as (

    -- The bootstrap's seed hangs on n alone: groups of n episodes share their draws.
    select
        *,
        {{ group_seed('run_seed', ["'bootstrap'", 'n']) }} as bootstrap_seed
    from listed

)

select * from seeded
