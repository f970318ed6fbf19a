-- What was run: for a hypothesis that the study did not measure.
-- For example, of the demo: condition_group baseline, n_units 52, n_inferences 468, n_ok 468; condition_group
-- knockout, n_units 52, n_inferences 312, n_ok 312 (2 of 6 rows).
select
    condition_group,
    n_units,
    n_inferences,
    n_ok
from marts.coverage
where run_id = getvariable('run_id')
order by condition_group
