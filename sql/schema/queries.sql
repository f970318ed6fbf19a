create table raw.queries (
    run_id varchar,
    layout_id varchar,
    pass varchar,
    query_index smallint,
    kind varchar,
    name varchar,
    n_rows integer,
    word_index smallint
);

comment on table raw.queries is
    'One row per query of a layout''s pass: a token, or a group whose rows are averaged.';

comment on column raw.queries.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.queries.layout_id is
    'Layout.';
comment on column raw.queries.pass is
    'Forward pass the attention was read in: ''prefix'' (images and text) or ''suffix'' (action tokens); Cosmos: ''denoise'' (latent frames) or ''cross'' (text).';
comment on column raw.queries.query_index is
    'Index within the pass, counted from 0.';
comment on column raw.queries.kind is
    '''token'' or ''group''.';
comment on column raw.queries.name is
    '''instruction'', ''action'', ''word:banana'', ''action:3''; Cosmos: ''chunk:3'' (tokens that carry step 3 of the action chunk), ''frame:2'', ...';
comment on column raw.queries.n_rows is
    'Query rows averaged.';
comment on column raw.queries.word_index is
    'Index of the instruction word; null for other queries.';
