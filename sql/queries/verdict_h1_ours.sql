-- H1, ours: covering the most attended patches against covering as many elsewhere, by layer, camera and fill.
-- For example, of the demo: layer 1, camera together, fill black, n_episodes 52, mean_error_high 2.034,
-- mean_error_control 0.2886, mean_fidelity 1.745, low 0.6657, high 3.553, p 0.0016, p_holm 0.0032, family_size 2,
-- noise_floor 0.1993 (1 of 2 rows).
select
    layer,
    camera,
    fill,
    n_episodes,
    mean_error_high,
    mean_error_control,
    mean_fidelity,
    low,
    high,
    p,
    p_holm,
    family_size,
    noise_floor
from marts.fidelity_by_layer
where run_id = getvariable('run_id')
order by layer, camera, fill
