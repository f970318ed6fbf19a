-- H1, ours: covering the most attended patches against covering as many elsewhere, by layer, camera and fill.
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
