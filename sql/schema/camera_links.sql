create table raw.camera_links (
    run_id varchar,
    inference_id bigint,
    pass varchar,
    denoise_step smallint,
    layer smallint,
    query_index smallint,
    camera varchar,
    other_camera varchar,
    correlation float,
    other_frame_correlation float,
    mass_share float,
    other_mass_share float,
    n_patches smallint,
    reason varchar
);

comment on table raw.camera_links is
    'One row per inference of the baseline, pass, denoising step, layer, query and pair of cameras: head-mean maps compared on the table plane.';

comment on column raw.camera_links.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.camera_links.inference_id is
    'Signed 64-bit blake2b of (run_id, episode_id, frame_index, condition_id, noise_index).';
comment on column raw.camera_links.pass is
    'Forward pass the attention was read in: ''prefix'' (images and text) or ''suffix'' (action tokens); Cosmos: ''denoise'' (latent frames) or ''cross'' (text).';
comment on column raw.camera_links.denoise_step is
    'Denoising step, 0 = first and noisiest; -1 in a pass that has none.';
comment on column raw.camera_links.layer is
    'Layer of the pass, counted from 0.';
comment on column raw.camera_links.query_index is
    'Query of the layout''s pass; names in raw.queries.';
comment on column raw.camera_links.camera is
    'Camera in whose view the maps are compared: of two, the one that the study names first.';
comment on column raw.camera_links.other_camera is
    'Camera whose map is carried into that view over the table plane.';
comment on column raw.camera_links.correlation is
    'Pearson correlation of the two maps'' densities over the patches that both cameras see; null with a reason.';
comment on column raw.camera_links.other_frame_correlation is
    'The same with the carried camera''s map from the keyframe half an episode away: what habits of a picture give without the place; null for one keyframe.';
comment on column raw.camera_links.mass_share is
    'Share of the camera''s map on the compared patches; null where there is no geometry.';
comment on column raw.camera_links.other_mass_share is
    'Share of the other camera''s map that lands on the compared patches; null where there is no geometry.';
comment on column raw.camera_links.n_patches is
    'Patches compared: those of which the other camera sees half or more; null where there is no geometry.';
comment on column raw.camera_links.reason is
    'Why there is no correlation: no calibration, no plane, too few patches in both views, or a constant map; else null.';
