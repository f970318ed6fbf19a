create table raw.timings (
    run_id varchar,
    unit varchar,
    inference_id bigint,
    stage varchar,
    seconds double,
    batch_size integer,
    host varchar,
    finished_at timestamp
);

comment on table raw.timings is
    'One row per inference or unit and stage. The only table with times and host facts.';

comment on column raw.timings.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.timings.unit is
    'Unit, hex.';
comment on column raw.timings.inference_id is
    'Inference; null for a stage of the whole unit.';
comment on column raw.timings.stage is
    '''read'', ''infer'', ''measure'' or ''write''.';
comment on column raw.timings.seconds is
    'Wall-clock seconds.';
comment on column raw.timings.batch_size is
    'Inferences in the batch; null where none.';
comment on column raw.timings.host is
    'Host name.';
comment on column raw.timings.finished_at is
    'When the stage of the unit ended, UTC; null for a single inference.';
