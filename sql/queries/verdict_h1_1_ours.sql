-- H1.1, ours: the target's log lift against masks of other episodes and against distractors, and its lift.
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
