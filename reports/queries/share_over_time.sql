-- Share of a camera's attention on each role's objects: thirds of the episode, and single action tokens
-- (third = 'all').
select
    outcome,
    pass,
    denoise_step,
    layer,
    query,
    action_token,
    camera,
    role,
    third,
    is_last_prefix_layer,
    n_episodes,
    mean_mass_share,
    std_mass_share,
    mean_log_lift,
    std_log_lift
from marts.roi_over_time
where run_id = getvariable('run_id')
order by pass, denoise_step, query, camera, role, outcome, layer, action_token nulls first, third
