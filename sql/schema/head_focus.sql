create table raw.head_focus (
    run_id varchar,
    inference_id bigint,
    pass varchar,
    denoise_step smallint,
    layer smallint,
    head smallint,
    query_index smallint,
    camera varchar,
    entropy float,
    entropy_norm float,
    gini float,
    effective_rank float,
    participation float,
    top10_share float,
    variance float,
    focus_seed float
);

comment on table raw.head_focus is
    'One row per inference, pass, denoising step, layer, head, query group and camera: how focused one head''s image map is.';

comment on column raw.head_focus.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.head_focus.inference_id is
    'Signed 64-bit blake2b of (run_id, episode_id, frame_index, condition_id, noise_index).';
comment on column raw.head_focus.pass is
    'Forward pass the attention was read in: ''prefix'' (images and text) or ''suffix'' (action tokens); Cosmos: ''denoise'' (latent frames) or ''cross'' (text).';
comment on column raw.head_focus.denoise_step is
    'Denoising step, 0 = first and noisiest; -1 in a pass that has none.';
comment on column raw.head_focus.layer is
    'Layer of the pass, counted from 0.';
comment on column raw.head_focus.head is
    'Attention head, counted from 0.';
comment on column raw.head_focus.query_index is
    'Query of the layout''s pass; names in raw.queries.';
comment on column raw.head_focus.camera is
    'Camera role of the study, such as ''base'' or ''wrist''.';
comment on column raw.head_focus.entropy is
    'Entropy of the unit-mass map, nats.';
comment on column raw.head_focus.entropy_norm is
    'entropy / ln(number of patches), 0 to 1.';
comment on column raw.head_focus.gini is
    'Gini coefficient of the patches, 0 (uniform) to 1.';
comment on column raw.head_focus.effective_rank is
    'exp(entropy), in patches.';
comment on column raw.head_focus.participation is
    '1 / sum of squares, in patches.';
comment on column raw.head_focus.top10_share is
    'Mass on the top 10 % of the patches.';
comment on column raw.head_focus.variance is
    'Variance of the unit-mass map.';
comment on column raw.head_focus.focus_seed is
    'The seed''s score: variance of the 8-bit grey heat map; on the first frame alone, as in the seed, else null.';
