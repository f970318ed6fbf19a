create table raw.layer_links (
    run_id varchar,
    inference_id bigint,
    pass varchar,
    denoise_step smallint,
    layer smallint,
    query_index smallint,
    camera varchar,
    flow float,
    rollout_mass float,
    rollout_correlation float,
    stability_l2 float,
    stability_tv float,
    stability_l2_raw float
);

comment on table raw.layer_links is
    'One row per inference of the baseline, pass, denoising step, layer, query and camera: how head-mean maps follow each other over layers and keyframes.';

comment on column raw.layer_links.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.layer_links.inference_id is
    'Signed 64-bit blake2b of (run_id, episode_id, frame_index, condition_id, noise_index).';
comment on column raw.layer_links.pass is
    'Forward pass the attention was read in: ''prefix'' (images and text) or ''suffix'' (action tokens); Cosmos: ''denoise'' (latent frames) or ''cross'' (text).';
comment on column raw.layer_links.denoise_step is
    'Denoising step, 0 = first and noisiest; -1 in a pass that has none.';
comment on column raw.layer_links.layer is
    'Layer of the pass, counted from 0.';
comment on column raw.layer_links.query_index is
    'Query of the layout''s pass; names in raw.queries.';
comment on column raw.layer_links.camera is
    'Camera role of the study, such as ''base'' or ''wrist''.';
comment on column raw.layer_links.flow is
    'Pearson correlation with the next layer''s head-mean map; null for the last layer and where a map is constant.';
comment on column raw.layer_links.rollout_mass is
    'Mass on the camera''s patches of the attention rollout, product of (A + I)/2 up to this layer; null where capture.rollout is off.';
comment on column raw.layer_links.rollout_correlation is
    'Pearson correlation of the layer''s map with that of the rollout up to it; null where capture.rollout is off.';
comment on column raw.layer_links.stability_l2 is
    'L2 distance to the unit-mass map of the keyframe just before (lag: one keyframe); null for the first, and after one that could not be read.';
comment on column raw.layer_links.stability_tv is
    'Total variation, 0 to 1, to the unit-mass map of the keyframe just before; null as stability_l2.';
comment on column raw.layer_links.stability_l2_raw is
    'L2 distance to the raw map (sums of attention) of the keyframe just before, as the seed has it; null as stability_l2.';
