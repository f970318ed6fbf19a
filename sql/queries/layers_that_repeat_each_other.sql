-- How maps follow each other: correlation with the next layer's map, and how far a map moves from one keyframe to the
-- next. Where flow is near 1, a layer repeats the one before it.
-- For example, of the demo: pass prefix, denoise_step -1, camera base, layer 0, flow_to_next_layer 0.195, std_flow
-- 0.202, total_variation_a_keyframe 0.016, stability_seed 419.7, n_episodes 52 (1 of 48 rows).
select
    run_id,
    pass,
    denoise_step,
    camera,
    layer,
    round(mean_flow, 3) as flow_to_next_layer,
    round(std_flow, 3) as std_flow,
    round(mean_stability_tv, 3) as total_variation_a_keyframe,
    round(mean_stability_seed, 2) as stability_seed,
    n_episodes
from marts.layer_flow
where outcome = 'all'
order by run_id, pass, denoise_step, camera, layer
