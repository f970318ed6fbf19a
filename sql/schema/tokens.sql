create table raw.tokens (
    run_id varchar,
    layout_id varchar,
    pass varchar,
    token_index integer,
    kind varchar,
    role varchar,
    text varchar,
    word_index smallint,
    camera varchar,
    "row" smallint,
    col smallint,
    is_valid boolean
);

comment on table raw.tokens is
    'One row per key token of a layout''s pass.';

comment on column raw.tokens.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.tokens.layout_id is
    'Layout.';
comment on column raw.tokens.pass is
    'Forward pass the attention was read in: ''prefix'' (images and text) or ''suffix'' (action tokens); Cosmos: ''denoise'' (latent frames) or ''cross'' (text).';
comment on column raw.tokens.token_index is
    'Key position, counted from 0.';
comment on column raw.tokens.kind is
    '''patch'', ''text'', ''state'', ''action'', ''frame'' or ''pad''.';
comment on column raw.tokens.role is
    '''bos'', ''template'', ''instruction'', ''state'', ''pad'', ''letterbox'', ''masked_camera'', ''patch'', ''action''; Cosmos also: ''blank'', ''future_state'', ''value'', ''text_pad''.';
comment on column raw.tokens.text is
    'Piece of text of the token; null for patches, actions and the state''s digits (they change with every frame).';
comment on column raw.tokens.word_index is
    'Index of the instruction word the token belongs to; null for other tokens.';
comment on column raw.tokens.camera is
    'Camera role of the study, such as ''base'' or ''wrist''; ''future_wrist'' is the picture that Cosmos predicts.';
comment on column raw.tokens."row" is
    'Patch row, 0 = top; null where no patch.';
comment on column raw.tokens.col is
    'Patch column, 0 = left; null where no patch.';
comment on column raw.tokens.is_valid is
    'False where the model masks the key.';
