create table raw.frames (
    run_id varchar,
    episode_id varchar,
    frame_index integer,
    "timestamp" double,
    state double[],
    gripper double,
    pictures json,
    masks json,
    status varchar,
    reason varchar
);

comment on table raw.frames is
    'One row per keyframe of an episode.';

comment on column raw.frames.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.frames.episode_id is
    'Episode: path below the data set''s root, or <dataset>/<episode_index>.';
comment on column raw.frames.frame_index is
    'Frame of the episode, counted from 0.';
comment on column raw.frames."timestamp" is
    'Seconds from the start of the episode; null where not recorded.';
comment on column raw.frames.state is
    'Robot state as recorded, in the reader''s order.';
comment on column raw.frames.gripper is
    'Gripper position as recorded; null where the robot has none.';
comment on column raw.frames.pictures is
    'Camera role -> path below the run''s folder of the picture as the policy saw it.';
comment on column raw.frames.masks is
    'Camera role -> path below the run''s folder of the label map of the objects (PNG, 224 x 224, pixel = object_index + 1, 0 = none); null where there are no masks.';
comment on column raw.frames.status is
    '''ok'' or ''failed''.';
comment on column raw.frames.reason is
    'Why the frame failed; null if it did not.';
