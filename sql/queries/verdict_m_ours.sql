-- M, ours: the log ratio of mean masses and its interval; layer -1 is layers_avg, the last denoising step decides.
-- For example, of the demo: denoise_step 0, layer -1, n_episodes 52, ratio_of_means 5.572, log_ratio 1.72, low 1.702,
-- high 1.74, band visual (1 of 18 rows).
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
