select
    layer,
    camera,
    fill,
    is_last_prefix_layer,
    n_episodes,
    mean_error_high,
    mean_error_control,
    mean_fidelity,
    low,
    high,
    p_holm,
    noise_floor,
    mean_fidelity_seed,
    label_seed,
    deletion_auc,
    insertion_auc
from marts.fidelity_by_layer
where run_id = getvariable('run_id')
order by camera, fill, layer
