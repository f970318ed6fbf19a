-- H1.1, ours: the target's log lift against masks of other episodes and against distractors, and its lift.
-- For example, of the demo: estimand target_lift, layer 0, n_episodes 52, estimate 1.249, low 1.165, high 1.392, p
-- null, p_holm null, family_size 0, reason estimate only: not a difference (1 of 21 rows).
select
    estimand,
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
    and hypothesis = 'H1.1'
    and pass = 'prefix'
    and query = 'instruction'
    and camera = getvariable('camera')
order by estimand, layer
