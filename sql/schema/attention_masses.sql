create table raw.attention_masses (
    run_id varchar,
    inference_id bigint,
    pass varchar,
    denoise_step smallint,
    softmax varchar,
    layer smallint,
    head smallint,
    query_index smallint,
    masses float[],
    object_masses float[],
    top_key integer,
    top_share float,
    sink_share float
);

comment on table raw.attention_masses is
    'One row per inference, pass, denoising step, layer, head and query: where its attention goes. Head means are averages over these rows.';

comment on column raw.attention_masses.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.attention_masses.inference_id is
    'Signed 64-bit blake2b of (run_id, episode_id, frame_index, condition_id, noise_index).';
comment on column raw.attention_masses.pass is
    'Forward pass the attention was read in: ''prefix'' (images and text) or ''suffix'' (action tokens); Cosmos: ''denoise'' (latent frames) or ''cross'' (text).';
comment on column raw.attention_masses.denoise_step is
    'Denoising step, 0 = first and noisiest; -1 in a pass that has none.';
comment on column raw.attention_masses.softmax is
    '''self'' or ''cross'': the softmax the masses sum to 1 in.';
comment on column raw.attention_masses.layer is
    'Layer of the pass, counted from 0.';
comment on column raw.attention_masses.head is
    'Attention head, counted from 0.';
comment on column raw.attention_masses.query_index is
    'Query of the layout''s pass; names in raw.queries.';
comment on column raw.attention_masses.masses is
    'Attention mass on each partition region, in the order of raw.regions; sums to 1.';
comment on column raw.attention_masses.object_masses is
    'Attention mass on each object of the frame, in the order of object_index over all cameras, each patch weighted by the share of it that the mask covers; objects may overlap.';
comment on column raw.attention_masses.top_key is
    'Key with the most attention (smallest index on a tie).';
comment on column raw.attention_masses.top_share is
    'Attention mass on top_key.';
comment on column raw.attention_masses.sink_share is
    'Attention mass on the BOS token; null where the layout has none.';
