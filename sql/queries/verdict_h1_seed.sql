-- H1, the seed's: MSE of its high and low arm by layer, under the same noise, and its word for the difference.
select
    layer,
    camera,
    n_episodes,
    mean_mse_high_seed,
    mean_mse_low_seed,
    mean_fidelity_seed,
    label_seed
from marts.fidelity_by_layer
where
    run_id = getvariable('run_id')
    and fill = 'black'
    and not is_last_prefix_layer
order by layer, camera
