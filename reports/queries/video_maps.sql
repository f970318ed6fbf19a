-- Stored maps of an episode as one view and camera sees them: layers, heads (-1 = mean over heads) and prompts.
select
    frame_index,
    condition_id,
    layer,
    head,
    map
from marts.frame_gallery
where
    run_id = getvariable('run_id')
    and episode_id = getvariable('episode_id')
    and pass = getvariable('pass')
    and denoise_step = getvariable('denoise_step')
    and query = getvariable('query')
    and camera = getvariable('camera')
    and "rows" = 'mean'
order by frame_index, condition_id, layer, head
