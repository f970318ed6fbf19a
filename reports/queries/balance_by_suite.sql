-- Visual / linguistic ratio by suite, layers averaged; intervals by bootstrap over a suite's episodes.
select
    denoise_step,
    coalesce(suite, 'no suite') as suite,
    n_episodes,
    log_ratio,
    low,
    high,
    band
from marts.modality_balance_by_suite
where run_id = getvariable('run_id') and layer = -1 and log_ratio is not null
order by denoise_step, suite
