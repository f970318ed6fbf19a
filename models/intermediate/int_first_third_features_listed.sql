with

roi as (

    select * from {{ ref('int_roi_averaged_to_frames') }}
    where
        third = 'first'
        and role in ('target', 'distractor')

),

modality_balance as (

    select * from {{ ref('modality_balance_by_step') }}
    where
        condition_id = 'baseline:baseline'
        and layer >= 0

),

inferences as (

    select * from {{ ref('stg_raw__inferences') }}
    where
        condition_id = 'baseline:baseline'
        and noise_index = 0
        and status = 'ok'

),

episodes as (

    select * from {{ ref('stg_raw__episodes') }}
    where outcome is not null

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

last_steps as (

    select
        run_id,
        pass,
        max(denoise_step) as denoise_step
    from roi
    group by all

),

lifts as (

    -- Depth in thirds and cameras together: with a few dozen episodes, a feature a layer would be more than they bear.
    select
        roi.run_id,
        roi.episode_id,
        roi.query,
        {{ depth_third('roi.layer', 'runs.n_layers') }} as depth,
        avg(roi.log_lift) filter (where roi.role = 'target') as target_log_lift,
        avg(roi.log_lift) filter (where roi.role = 'distractor') as distractor_log_lift
    from roi
    inner join last_steps
        using (run_id, pass, denoise_step)
    inner join runs
        on roi.run_id = runs.run_id
    where not {{ is_last_prefix_layer('roi.pass', 'roi.layer', 'runs.n_layers') }}
    group by all

),

ratios as (

    select
        modality_balance.run_id,
        modality_balance.episode_id,
        {{ depth_third('modality_balance.layer', 'runs.n_layers') }} as depth,
        avg(modality_balance.log_ratio) as log_ratio
    from modality_balance
    inner join episodes
        on
            modality_balance.run_id = episodes.run_id
            and modality_balance.episode_id = episodes.episode_id
    inner join runs
        on modality_balance.run_id = runs.run_id
    where {{ episode_third('modality_balance.frame_index', 'episodes.n_frames') }} = 'first'
    group by all

),

action_steps as (

    select
        inferences.run_id,
        inferences.episode_id,
        unnest(inferences.actions) as step
    from inferences
    inner join episodes
        on
            inferences.run_id = episodes.run_id
            and inferences.episode_id = episodes.episode_id
    where {{ episode_third('inferences.frame_index', 'episodes.n_frames') }} = 'first'

),

action_values as (

    select
        run_id,
        episode_id,
        unnest(step) as value,
        generate_subscripts(step, 1) - 1 as dim
    from action_steps

),

tasks as (

    select distinct
        run_id,
        coalesce(task, instruction) as task
    from episodes

),

features as (

    select
        run_id,
        episode_id,
        'attention' as feature_set,
        'target log lift, ' || query || ', ' || depth as feature,
        target_log_lift as value
    from lifts

    union all

    select
        run_id,
        episode_id,
        'attention' as feature_set,
        'target minus distractors, ' || query || ', ' || depth as feature,
        target_log_lift - distractor_log_lift as value
    from lifts

    union all

    select
        run_id,
        episode_id,
        'attention' as feature_set,
        'visual / linguistic log ratio, ' || depth as feature,
        log_ratio as value
    from ratios

    union all

    select
        run_id,
        episode_id,
        'actions' as feature_set,
        'mean of action ' || dim as feature,
        avg(value) as value
    from action_values
    group by
        run_id,
        episode_id,
        dim

    union all

    select
        run_id,
        episode_id,
        'actions' as feature_set,
        'spread of action ' || dim as feature,
        stddev_samp(value) as value
    from action_values
    group by
        run_id,
        episode_id,
        dim

    union all

    select
        run_id,
        episode_id,
        'length' as feature_set,
        'frames' as feature,
        n_frames as value
    from episodes

    union all

    -- One of the tasks, as 0 and 1.
    select
        episodes.run_id,
        episodes.episode_id,
        'task' as feature_set,
        tasks.task as feature,
        (coalesce(episodes.task, episodes.instruction) = tasks.task)::double as value
    from episodes
    inner join tasks
        on episodes.run_id = tasks.run_id

),

labelled as (

    select
        features.run_id,
        features.episode_id,
        episodes.outcome,
        coalesce(episodes.task, episodes.instruction, '') as task_of_episode,
        features.feature_set,
        features.feature,
        features.value
    from features
    inner join episodes
        on
            features.run_id = episodes.run_id
            and features.episode_id = episodes.episode_id
    where features.feature is not null

)

select * from labelled
