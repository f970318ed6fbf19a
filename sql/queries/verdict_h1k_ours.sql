-- H1k, ours: cutting attention to some keys against cutting it to as many patches elsewhere.
-- For example, of the demo: cut actions-to-target, query action, keys object:target, layer null, n_episodes 52,
-- mean_error_cut 7.417e-05, mean_error_control 0.000235, mean_difference -0.0001608, low -0.0004936, high -2.399e-05,
-- p 0.9521, p_holm 0.9521, family_size 3, total_effect [-0.0006032, -0.0005243, -0.0003275, -0.000415],
-- total_effect_low [-0.001351, -0.001453, -0.001284, -0.0007208], total_effect_high [-4.68e-05, 5.871e-05, 0.0005428,
-- -8.933e-05], n_episodes_total_effect 52 (1 of 3 rows).
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
    total_effect,
    total_effect_low,
    total_effect_high,
    n_episodes_total_effect
from marts.knockout_effects
where run_id = getvariable('run_id')
order by cut, layer
