create table raw.conditions (
    run_id varchar,
    condition_id varchar,
    kind varchar,
    name varchar,
    prompt_template varchar,
    params json
);

comment on table raw.conditions is
    'One row per condition of a run: what was asked of a frame.';

comment on column raw.conditions.run_id is
    'Run the row belongs to: 16 hex digits, a hash of the resolved study, the checkpoint and the schema version.';
comment on column raw.conditions.condition_id is
    'Condition: kind and name, such as ''prompt:duck''.';
comment on column raw.conditions.kind is
    '''baseline'', ''prompt'', ''paraphrase'', ''occlusion'', ''knockout'', ''ablation'', ''randomised'', ''augmentation'', ''noise'' or ''vqa''.';
comment on column raw.conditions.name is
    'Name of the condition within its kind.';
comment on column raw.conditions.prompt_template is
    'Prompt with {object} not yet filled; null = the episode''s instruction, or what the preset in params makes of it.';
comment on column raw.conditions.params is
    'Settings of the condition.';
