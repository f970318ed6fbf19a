-- M, the seed's mean of ratios; layer -1 is layers_avg, the last denoising step decides.
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
