create table raw.regions (
    run_id varchar,
    layout_id varchar,
    pass varchar,
    region_index smallint,
    kind varchar,
    name varchar,
    n_keys integer,
    is_partition boolean
);

comment on table raw.regions is
    'One row per region of a layout''s pass; the partition regions cover every key exactly once.';

comment on column raw.regions.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.regions.layout_id is
    'Layout.';
comment on column raw.regions.pass is
    'Forward pass the attention was read in: ''prefix'' (images and text) or ''suffix'' (action tokens); Cosmos: ''denoise'' (latent frames) or ''cross'' (text).';
comment on column raw.regions.region_index is
    'Position in attention_masses.masses, counted from 0.';
comment on column raw.regions.kind is
    '''visual'', ''linguistic'', ''state'', ''action'', ''pad'' or ''other'': the modality the region counts as.';
comment on column raw.regions.name is
    'Region, such as ''image:base'', ''letterbox:wrist'', ''instruction'', ''pad''; Cosmos: one a latent frame, in their order, and ''text_pad''.';
comment on column raw.regions.n_keys is
    'Keys in the region.';
comment on column raw.regions.is_partition is
    'True where the region is part of the partition.';
