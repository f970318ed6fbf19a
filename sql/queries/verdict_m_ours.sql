-- M, ours: the log ratio of mean masses and its interval; layer -1 is layers_avg, the last denoising step decides.
select
    denoise_step,
    layer,
    n_episodes,
    ratio_of_means,
    log_ratio,
    low,
    high,
    band
from marts.modality_balance_by_layer
where
    run_id = getvariable('run_id')
    and outcome = 'all'
order by denoise_step, layer
