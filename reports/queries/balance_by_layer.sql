select
    denoise_step,
    layer,
    outcome,
    n_episodes,
    mean_visual_mass as visual_mass,
    mean_linguistic_mass as linguistic_mass,
    mean_state_mass as state_mass,
    mean_action_mass as action_mass,
    mean_letterbox_mass as letterbox_mass,
    mean_other_mass as other_mass,
    mean_density_lift_visual as density_lift_visual,
    mean_density_lift_linguistic as density_lift_linguistic,
    ratio_of_means,
    log_ratio,
    low,
    high,
    band,
    depth_third
from marts.modality_balance_by_layer
where run_id = getvariable('run_id')
order by denoise_step, layer, outcome
