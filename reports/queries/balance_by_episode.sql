select
    episode_id,
    coalesce(outcome, 'unknown') as outcome,
    task,
    denoise_step,
    layer,
    n_frames,
    n_undefined,
    ratio_of_means,
    geometric_mean_ratio,
    density_lift_visual,
    density_lift_linguistic,
    mean_ratio_seed,
    std_ratio_seed,
    median_ratio_seed,
    min_ratio_seed,
    max_ratio_seed
from marts.modality_balance_by_episode
where run_id = getvariable('run_id') and layer = -1
order by denoise_step, outcome, episode_id
