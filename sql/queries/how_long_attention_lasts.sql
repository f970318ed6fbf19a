-- How long does attention on an object last: correlation of its share with itself some keyframes later, by layer.
-- For example, of the demo: pass prefix, denoise_step -1, camera base, role gripper, layer 0, after_1_keyframe 0.569,
-- after_2 0.049, after_4 -0.28, n_episodes 52 (1 of 92 rows).
select
    run_id,
    pass,
    denoise_step,
    camera,
    role,
    layer,
    round(max(mean_correlation) filter (where lag_keyframes = 1), 3) as after_1_keyframe,
    round(max(mean_correlation) filter (where lag_keyframes = 2), 3) as after_2,
    round(max(mean_correlation) filter (where lag_keyframes = 4), 3) as after_4,
    max(n_episodes) as n_episodes
from marts.roi_lags
where not is_last_prefix_layer
group by all
order by all
