create table raw.episodes_kept (
    run_id varchar,
    episode_id varchar
);

comment on table raw.episodes_kept is
    'One row per episode whose rows were in the warehouse before the last load and did not change: incremental models keep what they hold of it. Empty when everything was loaded anew.';

comment on column raw.episodes_kept.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.episodes_kept.episode_id is
    'Episode: path below the data set''s root, or <dataset>/<episode_index>.';
