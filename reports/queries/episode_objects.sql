select
    frame_index,
    camera,
    object_index,
    category,
    role,
    area_share
from marts.objects
where run_id = getvariable('run_id') and episode_id = getvariable('episode_id')
order by frame_index, camera, object_index
