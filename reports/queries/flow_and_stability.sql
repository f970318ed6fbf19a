-- Maps from layer to layer, and from keyframe to keyframe.
select
    outcome,
    pass,
    denoise_step,
    query,
    camera,
    layer,
    is_last_prefix_layer,
    n_episodes,
    n_steps,
    lag_keyframes,
    mean_flow,
    std_flow,
    mean_rollout_mass,
    std_rollout_mass,
    mean_rollout_correlation,
    std_rollout_correlation,
    mean_stability_tv,
    std_stability_tv,
    mean_stability_l2,
    mean_stability_seed,
    std_stability_seed
from marts.layer_flow
where run_id = getvariable('run_id')
order by pass, denoise_step, query, camera, outcome, layer
