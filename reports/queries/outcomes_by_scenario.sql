select
    coalesce(task, instruction) as task,
    coalesce(scenario, '-') as scenario,
    count(*) filter (where outcome = 'success') as n_success,
    count(*) filter (where outcome = 'failure') as n_failure,
    string_agg(distinct failure_kind, ', ' order by failure_kind) as failure_kinds
from marts.episodes
where
    run_id = getvariable('run_id')
    and outcome is not null
group by all
order by task, scenario
