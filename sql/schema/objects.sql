create table raw.objects (
    run_id varchar,
    episode_id varchar,
    frame_index integer,
    camera varchar,
    object_index smallint,
    category varchar,
    role varchar,
    score float,
    area_share float,
    coverage float[],
    mask_path varchar,
    mask_source varchar
);

comment on table raw.objects is
    'One row per object in a camera''s picture of a frame.';

comment on column raw.objects.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.objects.episode_id is
    'Episode: path below the data set''s root, or <dataset>/<episode_index>.';
comment on column raw.objects.frame_index is
    'Frame of the episode, counted from 0.';
comment on column raw.objects.camera is
    'Camera role of the study, such as ''base'' or ''wrist''.';
comment on column raw.objects.object_index is
    'Position in attention_masses.object_masses, counted over all cameras of the frame.';
comment on column raw.objects.category is
    'What the object is.';
comment on column raw.objects.role is
    '''target'' (the instruction''s object), ''distractor'', ''gripper'', ''goal'', or what the study''s named_roles say: ''decoy'' (made to look like the target), ''occluder''.';
comment on column raw.objects.score is
    'Score of the detector; 1 for a simulator''s mask.';
comment on column raw.objects.area_share is
    'Share of the picture (letterbox excluded) that the mask covers.';
comment on column raw.objects.coverage is
    'Share of each patch that the mask covers, row by row.';
comment on column raw.objects.mask_path is
    'Mask file as named by the data set, below the episode.';
comment on column raw.objects.mask_source is
    'Where masks come from: ''dinox'', ''coco'', ''simulator'', ...';
