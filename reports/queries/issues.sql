select
    stage,
    reason,
    n_issues,
    example_subject,
    example_detail
from marts.issues_by_reason
where run_id = getvariable('run_id')
order by n_issues desc, stage asc, reason asc
