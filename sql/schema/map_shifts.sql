create table raw.map_shifts (
    run_id varchar,
    inference_id bigint,
    baseline_id bigint,
    pass varchar,
    denoise_step smallint,
    layer smallint,
    head smallint,
    query_index smallint,
    "rows" varchar,
    camera varchar,
    mean_diff float,
    abs_mean_diff float,
    max_increase float,
    max_decrease float,
    l2_distance float,
    correlation float,
    shift_magnitude float,
    centroid_shift_px float,
    l2_unit float,
    total_variation float,
    jsd float
);

comment on table raw.map_shifts is
    'One row per map of a changed condition against the baseline''s map of the same frame.';

comment on column raw.map_shifts.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.map_shifts.inference_id is
    'Signed 64-bit blake2b of (run_id, episode_id, frame_index, condition_id, noise_index).';
comment on column raw.map_shifts.baseline_id is
    'Inference of the baseline.';
comment on column raw.map_shifts.pass is
    'Forward pass the attention was read in: ''prefix'' (images and text) or ''suffix'' (action tokens); Cosmos: ''denoise'' (latent frames) or ''cross'' (text).';
comment on column raw.map_shifts.denoise_step is
    'Denoising step, 0 = first and noisiest; -1 in a pass that has none.';
comment on column raw.map_shifts.layer is
    'Layer of the pass, counted from 0.';
comment on column raw.map_shifts.head is
    '-1 = mean over heads.';
comment on column raw.map_shifts.query_index is
    'Query of the layout''s pass; names in raw.queries.';
comment on column raw.map_shifts."rows" is
    '''mean'' (ours) or ''max'' (the seed): how the query rows of both maps were joined.';
comment on column raw.map_shifts.camera is
    'Camera role of the study, such as ''base'' or ''wrist''.';
comment on column raw.map_shifts.mean_diff is
    'Mean change of the raw map per patch.';
comment on column raw.map_shifts.abs_mean_diff is
    'Mean absolute change of the raw map per patch.';
comment on column raw.map_shifts.max_increase is
    'Largest signed change of a patch, raw map: below 0 where every patch lost.';
comment on column raw.map_shifts.max_decrease is
    'Smallest signed change of a patch, raw map: the largest decrease where it is negative; above 0 where every patch gained.';
comment on column raw.map_shifts.l2_distance is
    'Frobenius distance of the raw maps.';
comment on column raw.map_shifts.correlation is
    'Pearson correlation of the maps; null where a map is constant.';
comment on column raw.map_shifts.shift_magnitude is
    'l2_distance / norm of the baseline''s raw map.';
comment on column raw.map_shifts.centroid_shift_px is
    'Distance of the mass-weighted centroids, in pixels of the 224 x 224 picture.';
comment on column raw.map_shifts.l2_unit is
    'Euclidean distance of the unit-mass maps.';
comment on column raw.map_shifts.total_variation is
    'Total variation distance of the unit-mass maps, 0 to 1.';
comment on column raw.map_shifts.jsd is
    'Jensen-Shannon divergence of the unit-mass maps, nats, 0 to ln 2.';
