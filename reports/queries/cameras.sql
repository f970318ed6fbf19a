select distinct camera
from marts.frame_gallery
where run_id = getvariable('run_id') and head = -1
union
select distinct unnest(json_keys(pictures)) as camera
from marts.frames
where run_id = getvariable('run_id')
order by camera
