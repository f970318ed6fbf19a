-- A number that could not be computed says why.
select
    run_id,
    'object_metrics' as found_in,
    pass || ' layer ' || layer as found_at
from {{ ref('stg_raw__object_metrics') }}
where
    mass_share is null
    and reason is null

union all

select
    run_id,
    'outcome_tests' as found_in,
    family || ' layer ' || layer as found_at
from {{ ref('outcome_tests') }}
where
    p_welch is null
    and reason is null

union all

select
    run_id,
    'paired_tests' as found_in,
    family || ' layer ' || coalesce(layer, -1) as found_at
from {{ ref('paired_tests') }}
where
    p is null
    and reason is null

union all

select
    run_id,
    'bootstrap_intervals' as found_in,
    family || ' layer ' || coalesce(layer, -1) as found_at
from {{ ref('bootstrap_intervals') }}
where
    bca_low is null
    and reason is null
