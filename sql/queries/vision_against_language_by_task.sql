-- Vision against language, task by task: ratio of mean masses of the action tokens at the last denoising step captured,
-- all layers together. A band is claimed where its whole interval lies inside.
-- For example, of the demo: task pick up the cube, denoise_step 4, ratio 9.01, low 8.65, high 9.383, band visual,
-- n_episodes 16 (1 of 5 rows).
select
    by_task.run_id,
    by_task.task,
    by_task.denoise_step,
    round(by_task.ratio_of_means, 3) as ratio,
    round(exp(by_task.low), 3) as low,
    round(exp(by_task.high), 3) as high,
    by_task.band,
    by_task.n_episodes
from marts.modality_balance_by_task as by_task
where by_task.layer = -1
qualify by_task.denoise_step = max(by_task.denoise_step) over (partition by by_task.run_id)
order by by_task.run_id asc, ratio desc
