create table raw.action_effects (
    run_id varchar,
    inference_id bigint,
    baseline_id bigint,
    mse double,
    mse_standardised double,
    per_dim double[],
    params json
);

comment on table raw.action_effects is
    'One row per inference of a changed condition: how far its actions are from the baseline''s, same noise.';

comment on column raw.action_effects.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.action_effects.inference_id is
    'Signed 64-bit blake2b of (run_id, episode_id, frame_index, condition_id, noise_index).';
comment on column raw.action_effects.baseline_id is
    'Inference of the baseline.';
comment on column raw.action_effects.mse is
    'Mean squared difference over the action chunk, squared action units.';
comment on column raw.action_effects.mse_standardised is
    'The same after each action dimension was divided by its standard deviation over the baseline actions of the episode; null where that is 0 in every dimension.';
comment on column raw.action_effects.per_dim is
    'Mean squared difference per action dimension.';
comment on column raw.action_effects.params is
    'Layer, arm, camera, fill, share occluded, where the condition has them.';
