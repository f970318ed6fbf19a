-- Do the maps of two cameras meet at the same places of the table: their correlation by layer, and how much of it is
-- due to the place (against the second camera's map from half an episode away).
-- For example, of the demo: pass prefix, denoise_step -1, layer 0, camera base, other_camera wrist, correlation 0.079,
-- gain 0.057, gain_low 0.033, gain_high 0.095, n_episodes 52 (1 of 23 rows).
select
    run_id,
    pass,
    denoise_step,
    layer,
    camera,
    other_camera,
    round(mean_correlation, 3) as correlation,
    round(mean_correlation_gain, 3) as gain,
    round(correlation_gain_low, 3) as gain_low,
    round(correlation_gain_high, 3) as gain_high,
    n_episodes
from marts.camera_agreement_by_layer
where
    outcome = 'all'
    and not is_last_prefix_layer
order by run_id, pass, denoise_step, layer, camera, other_camera
