-- What was planned and did not end as done, with the reason and how many episodes it cost.
-- The demo has no row: all went well. For example, of a drawn run of the tests: condition_group baseline,
-- status failed, reason truncated_h5, n_units 1, n_units_planned 43.
select
    coverage_reasons.run_id,
    coverage_reasons.condition_group,
    coverage_reasons.status,
    coverage_reasons.reason,
    coverage_reasons.n_units,
    coverage.n_units as n_units_planned
from marts.coverage_reasons
inner join marts.coverage
    on
        coverage_reasons.run_id = coverage.run_id
        and coverage_reasons.condition_group = coverage.condition_group
where coverage_reasons.status != 'done'
order by all
