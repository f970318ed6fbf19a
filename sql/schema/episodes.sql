create table raw.episodes (
    run_id varchar,
    episode_id varchar,
    dataset varchar,
    suite varchar,
    task_index integer,
    task varchar,
    instruction varchar,
    outcome varchar,
    failure_kind varchar,
    n_frames integer,
    n_keyframes integer,
    source varchar,
    metadata json
);

comment on table raw.episodes is
    'One row per episode of a run.';

comment on column raw.episodes.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.episodes.episode_id is
    'Episode: path below the data set''s root, or <dataset>/<episode_index>.';
comment on column raw.episodes.dataset is
    'Data set the episode comes from.';
comment on column raw.episodes.suite is
    'Task suite; null where the data set has none.';
comment on column raw.episodes.task_index is
    'Index of the task in its data set; null where the data set has none.';
comment on column raw.episodes.task is
    'Task: what is to be done, as a name shared by its episodes.';
comment on column raw.episodes.instruction is
    'Instruction given to the policy.';
comment on column raw.episodes.outcome is
    '''success'', ''failure'' or null where unknown.';
comment on column raw.episodes.failure_kind is
    'How it failed (demo: wrong_toy, missed_grip, dropped, timed_out); null if unknown or a success.';
comment on column raw.episodes.n_frames is
    'Frames recorded.';
comment on column raw.episodes.n_keyframes is
    'Frames on which the policy is run.';
comment on column raw.episodes.source is
    'Reader of the episode: ''droid'', ''lerobot'', ''libero''.';
comment on column raw.episodes.metadata is
    'What else the data set says of the episode (demo: target, scenario, failure_family, seed).';
