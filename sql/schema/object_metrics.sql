create table raw.object_metrics (
    run_id varchar,
    inference_id bigint,
    pass varchar,
    denoise_step smallint,
    layer smallint,
    head smallint,
    query_index smallint,
    "rows" varchar,
    camera varchar,
    object_index smallint,
    against varchar,
    mass_share float,
    area_share float,
    lift float,
    log_lift float,
    precision float,
    recall float,
    dice float,
    iou_p75 float,
    iou_p90 float,
    ap float,
    pointing_hit float,
    overlap_ratio_seed float,
    attention_concentration_seed float,
    iou_seed float,
    mean_attn_inside_seed float,
    mean_attn_outside_seed float,
    reason varchar
);

comment on table raw.object_metrics is
    'One row per map, object and mask it is compared with: does attention rest on the object? Never averaged over objects.';

comment on column raw.object_metrics.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.object_metrics.inference_id is
    'Signed 64-bit blake2b of (run_id, episode_id, frame_index, condition_id, noise_index).';
comment on column raw.object_metrics.pass is
    'Forward pass the attention was read in: ''prefix'' (images and text) or ''suffix'' (action tokens); Cosmos: ''denoise'' (latent frames) or ''cross'' (text).';
comment on column raw.object_metrics.denoise_step is
    'Denoising step, 0 = first and noisiest; -1 in a pass that has none.';
comment on column raw.object_metrics.layer is
    'Layer of the pass, counted from 0.';
comment on column raw.object_metrics.head is
    'Attention head, counted from 0; -1 = mean over heads, -2 = max over heads.';
comment on column raw.object_metrics.query_index is
    'Query of the layout''s pass; names in raw.queries.';
comment on column raw.object_metrics."rows" is
    'How the query group''s rows were joined: ''mean'' (ours) or ''max'' (the seed).';
comment on column raw.object_metrics.camera is
    'Camera role of the study, such as ''base'' or ''wrist''.';
comment on column raw.object_metrics.object_index is
    'Object of the frame; see raw.objects.';
comment on column raw.object_metrics.against is
    'Mask compared with: ''own'' (the object''s), ''other_episode'' (mean over masks of the same role in other episodes: the null of centre bias) or ''uniform'' (own mask, uniform map).';
comment on column raw.object_metrics.mass_share is
    'Share of the camera''s attention inside the picture that falls on the object, 0 to 1.';
comment on column raw.object_metrics.area_share is
    'Share of the picture that the object covers, 0 to 1.';
comment on column raw.object_metrics.lift is
    'mass_share / area_share; 1 = no preference.';
comment on column raw.object_metrics.log_lift is
    'Natural log of lift.';
comment on column raw.object_metrics.precision is
    'Precision of the thresholded map.';
comment on column raw.object_metrics.recall is
    'Recall of the thresholded map.';
comment on column raw.object_metrics.dice is
    'Dice coefficient of the thresholded map.';
comment on column raw.object_metrics.iou_p75 is
    'IoU of the patches above the map''s 75th percentile with the object.';
comment on column raw.object_metrics.iou_p90 is
    'IoU of the patches above the map''s 90th percentile with the object.';
comment on column raw.object_metrics.ap is
    'Average precision over all thresholds.';
comment on column raw.object_metrics.pointing_hit is
    '1 where the top patch lies on the object, else 0.';
comment on column raw.object_metrics.overlap_ratio_seed is
    'Seed: attention inside the mask / all attention, on the 224 x 224 cubic upsampling.';
comment on column raw.object_metrics.attention_concentration_seed is
    'Seed: mean inside / mean outside.';
comment on column raw.object_metrics.iou_seed is
    'Seed: IoU of the map above 0.3 of its maximum with the mask.';
comment on column raw.object_metrics.mean_attn_inside_seed is
    'Seed: mean of the max-scaled map inside the mask.';
comment on column raw.object_metrics.mean_attn_outside_seed is
    'Seed: mean of the max-scaled map outside the mask.';
comment on column raw.object_metrics.reason is
    'Why the numbers are null; null if they are not.';
