-- Every map of the baseline; of the other prompts the words' alone, to keep the page small.
select
    episode_id,
    frame_index,
    condition_id,
    pass,
    denoise_step,
    query,
    camera,
    layer,
    map,
    mass
from marts.frame_gallery
where
    run_id = getvariable('run_id')
    and episode_id in (select unnest(getvariable('episode_ids')))
    and head = -1
    and query not like '%:%'
    and "rows" = 'mean'
    and (condition_id = 'baseline:baseline' or pass = 'prefix')
order by episode_id, frame_index, condition_id, pass, denoise_step, query, camera, layer
