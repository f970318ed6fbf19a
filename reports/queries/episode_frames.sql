select
    frame_index,
    "timestamp",
    pictures::varchar as pictures,
    masks::varchar as masks,
    status,
    reason
from marts.frames
where run_id = getvariable('run_id') and episode_id = getvariable('episode_id')
order by frame_index
