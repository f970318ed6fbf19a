create table raw.inferences (
    run_id varchar,
    inference_id bigint,
    episode_id varchar,
    frame_index integer,
    condition_id varchar,
    noise_index smallint,
    prompt varchar,
    named_object varchar,
    token_hash varchar,
    layout_id varchar,
    actions float[][],
    answer varchar,
    params json,
    status varchar,
    reason varchar
);

comment on table raw.inferences is
    'One row per inference: one frame under one condition with one noise.';

comment on column raw.inferences.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.inferences.inference_id is
    'Signed 64-bit blake2b of (run_id, episode_id, frame_index, condition_id, noise_index).';
comment on column raw.inferences.episode_id is
    'Episode: path below the data set''s root, or <dataset>/<episode_index>.';
comment on column raw.inferences.frame_index is
    'Frame of the episode, counted from 0.';
comment on column raw.inferences.condition_id is
    'Condition the frame was run under.';
comment on column raw.inferences.noise_index is
    'Which of the study''s noise seeds.';
comment on column raw.inferences.prompt is
    'Prompt that entered the model.';
comment on column raw.inferences.named_object is
    'Category of the object that the prompt names; null where it names none that the frame''s masks know.';
comment on column raw.inferences.token_hash is
    'blake2b of the token ids that entered the model, hex.';
comment on column raw.inferences.layout_id is
    'Token layout of the inference.';
comment on column raw.inferences.actions is
    'Action chunk [horizon, action dimension], in the policy''s own units.';
comment on column raw.inferences.answer is
    'Answer in words, for conditions that ask a question.';
comment on column raw.inferences.params is
    'What the condition did to this frame beyond its own settings, such as the share of each picture that was covered; null where nothing.';
comment on column raw.inferences.status is
    '''ok'', ''vacuous'' (same tokens as the baseline), ''nan'' or ''failed''.';
comment on column raw.inferences.reason is
    'Why the status is not ''ok''; null if it is.';
