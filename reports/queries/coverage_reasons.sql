select
    condition_group,
    status,
    coalesce(reason, 'no reason stored') as reason,
    n_units
from marts.coverage_reasons
where run_id = getvariable('run_id') and status <> 'done'
order by n_units desc, condition_group asc, status asc, reason asc
