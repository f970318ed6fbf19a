-- Does attention come to the target or leave it in the course of an episode: its share and its log lift by thirds. The
-- share also grows when the target comes nearer; the log lift does not.
-- For example, of the demo: pass prefix, denoise_step -1, camera base, layer 0, share_first 0.0874, share_middle
-- 0.0838, share_last 0.0838, log_lift_first 1.938, log_lift_last 1.849, n_episodes 50 (1 of 46 rows).
select
    run_id,
    pass,
    denoise_step,
    camera,
    layer,
    round(max(mean_mass_share) filter (where third = 'first'), 4) as share_first,
    round(max(mean_mass_share) filter (where third = 'middle'), 4) as share_middle,
    round(max(mean_mass_share) filter (where third = 'last'), 4) as share_last,
    round(max(mean_log_lift) filter (where third = 'first'), 3) as log_lift_first,
    round(max(mean_log_lift) filter (where third = 'last'), 3) as log_lift_last,
    max(n_episodes) as n_episodes
from marts.roi_over_time
where
    role = 'target'
    and outcome = 'all'
    and action_token is null
    and not is_last_prefix_layer
group by all
order by all
