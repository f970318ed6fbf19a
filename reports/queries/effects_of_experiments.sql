select
    condition_id,
    condition_kind,
    n_episodes,
    mean_mse_standardised,
    low,
    high
from marts.effects_by_condition
where
    run_id = getvariable('run_id')
    and condition_kind in ('noise', 'ablation', 'randomised', 'augmentation')
order by condition_kind asc, mean_mse_standardised desc, condition_id asc
