-- How long does attention on an object last: correlation of its share with itself some keyframes later, by layer.
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
