-- planned = done + partial + failed + skipped + pending, and what is not done says why.
select
    run_id,
    condition_group,
    'units do not add up' as problem
from {{ ref('coverage') }}
where n_units != n_done + n_partial + n_failed + n_skipped + n_pending

union all

select
    run_id,
    condition_group,
    'no reason is given' as problem
from {{ ref('coverage_reasons') }}
where
    status in ('partial', 'failed', 'skipped')
    and reason is null
