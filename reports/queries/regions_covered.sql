select
    region,
    camera,
    fill,
    n_episodes,
    mean_error_region,
    mean_error_control,
    mean_difference,
    low,
    high,
    p_holm
from marts.region_effects
where run_id = getvariable('run_id')
order by region, camera, fill
