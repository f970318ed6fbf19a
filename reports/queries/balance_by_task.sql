select
    denoise_step,
    layer,
    task,
    n_episodes,
    mean_density_lift_visual as density_lift_visual,
    mean_density_lift_linguistic as density_lift_linguistic,
    ratio_of_means,
    log_ratio,
    low,
    high,
    band
from marts.modality_balance_by_task
where run_id = getvariable('run_id') and layer = -1 and outcome = 'all'
order by denoise_step, task
