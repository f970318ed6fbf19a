-- H3, ours: the target's mass share in the last third of an episode minus the first, its slope over action tokens, and
-- what is left of the former when area is allowed for. The verdict corrects p over both of the first two.
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
