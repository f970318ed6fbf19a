-- M, the seed's mean of ratios; layer -1 is layers_avg, the last denoising step decides.
-- For example, of the demo: denoise_step 0, layer -1, n_episodes 52, mean_ratio_seed 10.84, std_ratio_seed 1.393 (1 of
-- 18 rows).
select
    denoise_step,
    layer,
    n_episodes,
    mean_ratio_seed,
    std_ratio_seed
from marts.modality_balance_by_layer
where
    run_id = getvariable('run_id')
    and outcome = 'all'
order by denoise_step, layer
