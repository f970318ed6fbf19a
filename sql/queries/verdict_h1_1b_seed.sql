-- H1.1b, the seed's third criterion: Student's t-test of the overlap ratio, uncorrected.
-- For example, of the demo: layer 0, n_success 26, n_failure 26, cohens_d_seed 0.3264, p_student_seed 0.2539,
-- family_size 7, reason null (1 of 7 rows).
select
    layer,
    n_success,
    n_failure,
    cohens_d_seed,
    p_student_seed,
    family_size,
    reason
from marts.outcome_tests
where
    run_id = getvariable('run_id')
    and metric = 'overlap_ratio_seed'
    and pass = 'prefix'
    and query = 'instruction'
    and camera = getvariable('camera')
order by layer
