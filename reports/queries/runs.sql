with ok as (
    select
        run_id,
        sum(n_ok)::bigint as n_ok
    from marts.coverage
    group by run_id
)

select
    runs.*,
    coalesce(ok.n_ok, 0) as n_ok
from marts.runs as runs
left join ok using (run_id)
order by runs.last_worked_at desc nulls last, n_ok desc, runs.run_id asc
