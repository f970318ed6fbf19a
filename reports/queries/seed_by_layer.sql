-- The seed's numbers: rows joined by their maximum, standard deviation with ddof = 0.
select
    pass,
    denoise_step,
    camera,
    layer,
    outcome,
    n_episodes,
    mean_area_share,
    mean_overlap_ratio_seed,
    std_overlap_ratio_seed,
    label_overlap_seed,
    mean_attention_concentration_seed,
    std_attention_concentration_seed,
    label_concentration_seed,
    mean_iou_seed,
    std_iou_seed,
    label_iou_seed,
    is_last_prefix_layer
from marts.object_attention_by_layer
where
    run_id = getvariable('run_id')
    and role = 'target'
    and against = 'own'
    and "rows" = 'max'
    and pass = 'prefix'
order by camera, layer, outcome
