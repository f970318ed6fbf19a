-- Correlation of two cameras' maps on the table, and of maps half an episode apart.
select
    pass,
    denoise_step,
    query,
    camera,
    other_camera,
    layer,
    n_episodes,
    n_frames,
    mean_correlation,
    correlation_low,
    correlation_high,
    mean_other_frame_correlation,
    mean_correlation_gain,
    correlation_gain_low,
    correlation_gain_high,
    mean_n_patches,
    reason
from marts.camera_agreement_by_layer
where
    run_id = getvariable('run_id')
    and outcome = 'all'
    and not is_last_prefix_layer
order by camera, other_camera, pass, denoise_step, query, layer
