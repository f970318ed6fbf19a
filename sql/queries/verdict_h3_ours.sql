-- H3, ours: the target's mass share in the last third of an episode minus the first, its slope over action tokens, and
-- what is left of the former when area is allowed for. The verdict corrects p over both of the first two.
-- For example, of the demo: estimand target_log_lift_last_minus_first_third, pass prefix, denoise_step -1, layer 0,
-- n_episodes 51, estimate -0.0006135, low -0.04433, high 0.03183, p 0.9753, p_holm 0.9753, family_size 7, reason null
-- (1 of 62 rows).
select
    estimand,
    pass,
    denoise_step,
    layer,
    n_episodes,
    estimate,
    low,
    high,
    p,
    p_holm,
    family_size,
    reason
from marts.paired_tests
where
    run_id = getvariable('run_id')
    and hypothesis = 'H3'
    and camera = getvariable('camera')
order by estimand, pass, denoise_step, layer
