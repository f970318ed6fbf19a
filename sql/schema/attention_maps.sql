create table raw.attention_maps (
    run_id varchar,
    inference_id bigint,
    pass varchar,
    denoise_step smallint,
    layer smallint,
    head smallint,
    query_index smallint,
    "rows" varchar,
    camera varchar,
    map float[],
    mass float
);

comment on table raw.attention_maps is
    'One row per inference, pass, denoising step, layer, head (mean or max), query group, rows and camera: attention over the camera''s patches.';

comment on column raw.attention_maps.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.attention_maps.inference_id is
    'Signed 64-bit blake2b of (run_id, episode_id, frame_index, condition_id, noise_index).';
comment on column raw.attention_maps.pass is
    'Forward pass the attention was read in: ''prefix'' (images and text) or ''suffix'' (action tokens); Cosmos: ''denoise'' (latent frames) or ''cross'' (text).';
comment on column raw.attention_maps.denoise_step is
    'Denoising step, 0 = first and noisiest; -1 in a pass that has none.';
comment on column raw.attention_maps.layer is
    'Layer of the pass, counted from 0.';
comment on column raw.attention_maps.head is
    'Attention head, counted from 0; -1 = mean over heads, -2 = max over heads, -3 = attention rollout up to the layer (capture.rollout).';
comment on column raw.attention_maps.query_index is
    'Query of the layout''s pass; names in raw.queries.';
comment on column raw.attention_maps."rows" is
    'How the query group''s rows were joined: ''mean'' (ours) or ''max'' (the seed).';
comment on column raw.attention_maps.camera is
    'Camera role of the study, such as ''base'' or ''wrist''.';
comment on column raw.attention_maps.map is
    'Patches row by row, unit mass; null where the mass is 0.';
comment on column raw.attention_maps.mass is
    'Mass of the map before it was scaled to 1; map * mass is the raw map.';
