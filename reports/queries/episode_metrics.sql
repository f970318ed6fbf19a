select
    frame_index,
    camera,
    pass,
    denoise_step,
    query,
    layer,
    object_index,
    category,
    role,
    mass_share,
    area_share,
    lift,
    pointing_hit
from marts.frame_metrics
where run_id = getvariable('run_id') and episode_id = getvariable('episode_id')
order by frame_index, camera, object_index, pass, denoise_step, query, layer
