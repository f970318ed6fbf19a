-- H1k, ours: cutting attention to some keys against cutting it to as many patches elsewhere.
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
    p,
    p_holm,
    family_size,
    total_effect
from marts.knockout_effects
where run_id = getvariable('run_id')
order by cut, layer
