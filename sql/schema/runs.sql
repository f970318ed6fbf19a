create table raw.runs (
    run_id varchar,
    study varchar,
    config json,
    config_hash varchar,
    policy varchar,
    model_family varchar,
    checkpoint varchar,
    checkpoint_hash varchar,
    n_layers smallint,
    n_heads smallint,
    head_dim smallint,
    dtype varchar,
    attention_impl varchar,
    device varchar,
    seed bigint,
    git_rev varchar,
    versions json,
    schema_version integer,
    status varchar
);

comment on table raw.runs is
    'One row per run: what was asked, of which policy, with which code.';

comment on column raw.runs.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.runs.study is
    'Name of the study.';
comment on column raw.runs.config is
    'The resolved study, every default filled in.';
comment on column raw.runs.config_hash is
    'blake2b of the canonical JSON of the resolved study, hex.';
comment on column raw.runs.policy is
    'Policy as named by the study (family and checkpoint).';
comment on column raw.runs.model_family is
    'Adapter that ran it, such as ''tiny'' or ''openpi''.';
comment on column raw.runs.checkpoint is
    'Checkpoint as given in the study.';
comment on column raw.runs.checkpoint_hash is
    'blake2b of the checkpoint''s files, hex.';
comment on column raw.runs.n_layers is
    'Layers of a pass.';
comment on column raw.runs.n_heads is
    'Query heads of a layer.';
comment on column raw.runs.head_dim is
    'Width of one head.';
comment on column raw.runs.dtype is
    'Dtype of the weights, such as ''float32''.';
comment on column raw.runs.attention_impl is
    'Attention function while captured, such as ''sdpa'' or ''eager''.';
comment on column raw.runs.device is
    'Device the model ran on, such as ''cpu''.';
comment on column raw.runs.seed is
    'The study''s seed.';
comment on column raw.runs.git_rev is
    'Commit of this code, with ''+dirty'' where the tree had changes; null outside a checkout.';
comment on column raw.runs.versions is
    'Versions of Python and of the packages that shape the numbers.';
comment on column raw.runs.schema_version is
    'Version of these tables.';
comment on column raw.runs.status is
    '''done'' when every planned unit is done, else ''partial''.';
