create table raw.layouts (
    run_id varchar,
    layout_id varchar,
    model_family varchar,
    n_keys json,
    cameras json
);

comment on table raw.layouts is
    'One row per token layout: an exact partition of the keys of each pass.';

comment on column raw.layouts.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.layouts.layout_id is
    'Hash of the layout''s content.';
comment on column raw.layouts.model_family is
    'Adapter the layout comes from.';
comment on column raw.layouts.n_keys is
    'Pass -> number of keys.';
comment on column raw.layouts.cameras is
    'Cameras in the order of their tokens: grid rows and columns; "kept", the share of each side, where the picture is cropped; "input_size" and "placed" where the model does not centre it in 224 pixels.';
