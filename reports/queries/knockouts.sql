select
    cut,
    query,
    keys,
    layer,
    n_episodes,
    mean_error_cut,
    mean_error_control,
    mean_difference,
    low,
    high,
    p_holm
from marts.knockout_effects
where run_id = getvariable('run_id')
order by cut, layer
