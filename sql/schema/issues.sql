create table raw.issues (
    run_id varchar,
    unit varchar,
    episode_id varchar,
    stage varchar,
    subject varchar,
    reason varchar,
    detail varchar
);

comment on table raw.issues is
    'One row per thing that went wrong or looked wrong; nothing is swallowed.';

comment on column raw.issues.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.issues.unit is
    'Unit it happened in, hex; null for the whole run.';
comment on column raw.issues.episode_id is
    'Episode; null for the whole run.';
comment on column raw.issues.stage is
    '''open'', ''read'', ''objects'', ''infer'', ''measure'' or ''load''.';
comment on column raw.issues.subject is
    'File, frame or object it is about.';
comment on column raw.issues.reason is
    'Short fixed name, such as ''truncated_jpeg''.';
comment on column raw.issues.detail is
    'What was found, what was expected and what to do.';
