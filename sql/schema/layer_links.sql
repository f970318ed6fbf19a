create table raw.layer_links (
    run_id varchar,
    inference_id bigint,
    pass varchar,
    denoise_step smallint,
    layer smallint,
    camera varchar,
    flow float,
    rollout_mass float,
    stability_l2 float
);

comment on table raw.layer_links is
    'One row per inference, pass, denoising step, layer and camera: how maps follow each other over layers. Filled by studies that ask for it.';

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
comment on column raw.layer_links.camera is
    'Camera role of the study, such as ''base'' or ''wrist''.';
comment on column raw.layer_links.flow is
    'Pearson correlation with the next layer''s head-mean map.';
comment on column raw.layer_links.rollout_mass is
    'Image mass of the attention rollout, product of (A + I)/2 up to this layer.';
comment on column raw.layer_links.stability_l2 is
    'L2 distance to the previous keyframe''s unit-mass map.';
