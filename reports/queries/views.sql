-- What looks: pass, denoising step and query group of the stored maps.
select distinct
    pass,
    denoise_step,
    query
from marts.frame_gallery
where run_id = getvariable('run_id') and condition_id = 'baseline:baseline' and head = -1 and query not like '%:%'
union
select distinct
    pass,
    denoise_step,
    query
from marts.object_attention_by_layer
where run_id = getvariable('run_id') and query not like '%:%'
order by pass, denoise_step, query
