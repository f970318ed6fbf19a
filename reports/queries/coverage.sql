select
    condition_group,
    n_units,
    n_done,
    n_partial,
    n_failed,
    n_skipped,
    n_pending,
    n_planned_inferences,
    n_inferences,
    n_ok,
    n_vacuous,
    n_nan,
    n_failed_inferences
from marts.coverage
where run_id = getvariable('run_id')
order by condition_group
