-- A map is scaled to 1; its own mass stands apart.
select
    attention_maps.run_id,
    attention_maps.inference_id,
    attention_maps.pass,
    attention_maps.layer,
    attention_maps.camera,
    list_sum(attention_maps.map::double[]) as total
from {{ changed_rows('attention_maps') }} as attention_maps
inner join {{ ref('stg_raw__runs') }} as runs
    on attention_maps.run_id = runs.run_id
inner join {{ ref('stg_raw__inferences') }} as inferences
    on
        attention_maps.run_id = inferences.run_id
        and attention_maps.inference_id = inferences.inference_id
where
    inferences.status in ('ok', 'vacuous')
    and attention_maps.map is not null
    and not abs(list_sum(attention_maps.map::double[]) - 1) <= case when runs.dtype = 'float32' then 1e-4 else 1e-2 end
