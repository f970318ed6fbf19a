select
    condition_id,
    condition_kind,
    pass,
    denoise_step,
    camera,
    layer,
    "rows" as joined,
    n_episodes,
    mean_jsd,
    mean_l2_distance,
    mean_correlation,
    mean_centroid_shift_px,
    mean_total_variation,
    mean_mass_gain_named,
    mean_shift_magnitude,
    is_last_prefix_layer
from marts.prompt_shift_by_layer
where run_id = getvariable('run_id') and outcome = 'all'
order by condition_kind desc, condition_id asc, pass asc, denoise_step asc, camera asc, layer asc, joined asc
