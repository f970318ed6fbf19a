-- H1.1b, ours: the target's log lift, success against failure.
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
