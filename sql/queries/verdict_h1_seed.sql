-- H1, the seed's: MSE of its high and low arm by layer, under the same noise, its p and its word for the difference.
-- For example, of the demo: layer 1, camera together, n_episodes 52, mean_mse_high_seed 0.1213, mean_mse_low_seed
-- 0.003846, mean_fidelity_seed 0.1174, p_seed 1.576e-07, label_seed strong; layer 4, camera together, n_episodes 52,
-- mean_mse_high_seed 0.06155, mean_mse_low_seed 0.009682, mean_fidelity_seed 0.05187, p_seed 0.0007617, label_seed not
-- informative (2 of 2 rows).
select
    layer,
    camera,
    n_episodes,
    mean_mse_high_seed,
    mean_mse_low_seed,
    mean_fidelity_seed,
    p_seed,
    label_seed
from marts.fidelity_by_layer
where
    run_id = getvariable('run_id')
    and fill = 'black'
    and not is_last_prefix_layer
order by layer, camera
