select
    pass,
    denoise_step,
    layer,
    query,
    camera,
    role,
    lag_keyframes,
    is_last_prefix_layer,
    n_episodes,
    mean_correlation,
    std_correlation
from marts.roi_lags
where run_id = getvariable('run_id')
order by pass, denoise_step, query, camera, role, layer, lag_keyframes
