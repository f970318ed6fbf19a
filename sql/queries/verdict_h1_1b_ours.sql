-- H1.1b, ours: the target's log lift, success against failure.
-- For example, of the demo: layer 0, n_success 26, n_failure 26, hedges_g -0.1211, g_low -0.6564, g_high 0.4154,
-- p_welch_holm 1, p_permutation_holm 1, family_size 7, reason null (1 of 7 rows).
select
    layer,
    n_success,
    n_failure,
    hedges_g,
    g_low,
    g_high,
    p_welch_holm,
    p_permutation_holm,
    family_size,
    reason
from marts.outcome_tests
where
    run_id = getvariable('run_id')
    and metric = 'log_lift'
    and pass = 'prefix'
    and query = 'instruction'
    and camera = getvariable('camera')
order by layer
