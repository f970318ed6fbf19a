-- Visual / linguistic balance of the actions, as the original protocol's parser sums it up over episodes
-- (`_seed`; standard deviations with ddof = 0), and as the verdict on M does: log ratio with its interval.
-- One row a layer (-1 is layers_avg) where `grouped_by` is 'layer'; one a task, layers averaged, where it is 'task'.
with by_episode as (
    select
        denoise_step,
        case when getvariable('grouped_by') = 'layer' then layer end as layer,
        case when getvariable('grouped_by') = 'task' then task end as task,
        count(*) as n_episodes,
        sum(n_undefined)::bigint as n_undefined,
        avg(mean_ratio_seed) as mean_ratio_seed,
        stddev_pop(mean_ratio_seed) as std_ratio_seed,
        median(mean_ratio_seed) as median_ratio_seed,
        min(mean_ratio_seed) as min_ratio_seed,
        max(mean_ratio_seed) as max_ratio_seed,
        avg(visual_fraction) as mean_visual_fraction,
        stddev_pop(visual_fraction) as std_visual_fraction,
        avg(linguistic_fraction) as mean_linguistic_fraction,
        stddev_pop(linguistic_fraction) as std_linguistic_fraction
    from marts.modality_balance_by_episode
    where run_id = getvariable('run_id') and (getvariable('grouped_by') = 'layer' or layer = -1)
    group by all
),

judged as (
    select
        denoise_step,
        layer,
        null as task,
        log_ratio,
        low,
        high,
        band
    from marts.modality_balance_by_layer
    where getvariable('grouped_by') = 'layer' and run_id = getvariable('run_id') and outcome = 'all'
    union all
    select
        denoise_step,
        null as layer,
        task,
        log_ratio,
        low,
        high,
        band
    from marts.modality_balance_by_task
    where getvariable('grouped_by') = 'task' and run_id = getvariable('run_id') and layer = -1 and outcome = 'all'
)

select
    by_episode.*,
    exp(judged.log_ratio) as ratio,
    exp(judged.low) as ratio_low,
    exp(judged.high) as ratio_high,
    judged.band
from by_episode
left join judged
    on
        by_episode.denoise_step = judged.denoise_step
        and by_episode.layer is not distinct from judged.layer
        and by_episode.task is not distinct from judged.task
order by by_episode.denoise_step, by_episode.layer, by_episode.task
