-- What was run: for a hypothesis that the study did not measure.
select
    condition_group,
    n_units,
    n_inferences,
    n_ok
from marts.coverage
where run_id = getvariable('run_id')
order by condition_group
