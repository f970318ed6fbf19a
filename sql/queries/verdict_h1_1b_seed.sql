-- H1.1b, the seed's third criterion: Student's t-test of the overlap ratio, uncorrected.
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
