create table raw.units (
    run_id varchar,
    unit varchar,
    episode_id varchar,
    condition_group varchar,
    status varchar,
    reason varchar,
    n_inferences integer,
    n_planned integer,
    manifest_hash varchar
);

comment on table raw.units is
    'One row per planned unit (one episode x one condition group): planned = done + failed + skipped + pending.';

comment on column raw.units.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.units.unit is
    'Unit, hex: its folder in the lake.';
comment on column raw.units.episode_id is
    'Episode: path below the data set''s root, or <dataset>/<episode_index>.';
comment on column raw.units.condition_group is
    'Conditions of the unit: ''baseline'', ''prompts'', ''paraphrases'', ...';
comment on column raw.units.status is
    '''done'', ''partial'' (done, but frames of it failed), ''failed'', ''skipped'' or ''pending'' (not run yet).';
comment on column raw.units.reason is
    'Why it is not done; null if it is.';
comment on column raw.units.n_inferences is
    'Inferences stored.';
comment on column raw.units.n_planned is
    'Inferences planned; null where the episode could not be opened.';
comment on column raw.units.manifest_hash is
    'blake2b of the unit''s manifest, which holds the checksums of its files; null where it is pending.';
