-- Intervals run from low to high, and the percentile interval holds the estimate's neighbourhood.
select
    run_id,
    family,
    layer,
    estimate,
    percentile_low,
    percentile_high,
    bca_low,
    bca_high
from {{ ref('bootstrap_intervals') }}
where
    bca_low > bca_high
    or percentile_low > percentile_high
    or estimate < percentile_low
    or estimate > percentile_high
