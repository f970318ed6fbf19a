select
    condition_id,
    condition_kind,
    n_episodes,
    mean_mse,
    mean_mse_standardised,
    low,
    high
from marts.action_shift_by_condition
where run_id = getvariable('run_id') and outcome = 'all'
order by condition_kind desc, condition_id asc
