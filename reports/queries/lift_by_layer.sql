select
    intervals.pass,
    intervals.denoise_step,
    intervals.query,
    intervals.camera,
    intervals.layer,
    intervals.outcome,
    intervals.n,
    intervals.estimate,
    intervals.bca_low,
    intervals.bca_high,
    intervals.percentile_low,
    intervals.percentile_high,
    intervals.reason
from marts.bootstrap_intervals as intervals
where
    intervals.run_id = getvariable('run_id')
    and intervals.metric = 'lift'
    and intervals.role = 'target'
    and intervals."rows" = 'mean'
order by all
