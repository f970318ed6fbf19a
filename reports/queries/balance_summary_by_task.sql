-- The same by task, layers averaged (layer -1).
with by_episode as (
    select
        denoise_step,
        task,
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
    where run_id = getvariable('run_id') and layer = -1
    group by all
)

select
    by_episode.*,
    exp(tasks.log_ratio) as ratio,
    exp(tasks.low) as ratio_low,
    exp(tasks.high) as ratio_high,
    tasks.band
from by_episode
left join marts.modality_balance_by_task as tasks
    on
        by_episode.denoise_step = tasks.denoise_step
        and by_episode.task is not distinct from tasks.task
        and tasks.run_id = getvariable('run_id')
        and tasks.layer = -1
        and tasks.outcome = 'all'
order by by_episode.denoise_step, by_episode.task
