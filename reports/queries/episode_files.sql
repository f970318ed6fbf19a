-- Pictures and masks of every frame.
select
    episode_id,
    pictures::varchar as pictures,
    masks::varchar as masks
from marts.frames
where run_id = getvariable('run_id')
