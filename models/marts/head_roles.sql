{#- What a head must do to have a role, and the least value for it; ours, for no seed states any. -#}
{%- set criteria = {
    'tracks target': 1.5,
    'tracks gripper': 1.5,
    'tracks goal': 1.5,
    'reads instruction': 0.25,
    'sink': 0.5,
    'positional': 0.8,
} -%}

with

head_objects as (

    select * from {{ ref('int_head_objects_averaged_to_episodes') }}

),

head_regions as (

    select * from {{ ref('int_head_regions_averaged_to_episodes') }}

),

tracked as (

    -- Tracking the target means more than the distractors get: a head that likes any toy is not told by the words.
    select
        named.run_id,
        named.episode_id,
        named.condition_id,
        named.pass,
        named.denoise_step,
        named.layer,
        named.head,
        named.query,
        named.camera,
        'tracks target' as head_role,
        named.lift as value,
        named.lift > coalesce(distractors.lift, 0) as is_eligible
    from head_objects as named
    left join head_objects as distractors
        on
            named.run_id = distractors.run_id
            and named.episode_id = distractors.episode_id
            and named.condition_id = distractors.condition_id
            and named.pass = distractors.pass
            and named.denoise_step = distractors.denoise_step
            and named.layer = distractors.layer
            and named.head = distractors.head
            and named.query = distractors.query
            and named.camera = distractors.camera
            and distractors.subject_role = 'distractor'
    where named.subject_role = 'named'

    union all

    select
        run_id,
        episode_id,
        condition_id,
        pass,
        denoise_step,
        layer,
        head,
        query,
        camera,
        'tracks ' || subject_role as head_role,
        lift as value,
        true as is_eligible
    from head_objects
    where subject_role in ('gripper', 'goal')

),

attended as (

    {% for head_role, column in [
        ('reads instruction', 'instruction_mass'), ('sink', 'empty_mass'), ('positional', 'usual_patch_share'),
    ] -%}
    select
        run_id,
        episode_id,
        condition_id,
        pass,
        denoise_step,
        layer,
        head,
        query,
        null::varchar as camera,
        '{{ head_role }}' as head_role,
        {{ column }} as value,
        true as is_eligible
    from head_regions
    {{ 'union all' if not loop.last }}

    {% endfor -%}

),

unioned as (

    select * from tracked
    union all by name
    select * from attended

),

thresholds as (

    select
        *,
        case head_role
            {% for head_role, least in criteria.items() -%}
                when '{{ head_role }}' then {{ least }}
            {% endfor -%}
        end as threshold
    from unioned
    where value is not null

),

judged as (

    select
        *,
        value >= threshold and is_eligible as is_met
    from thresholds

),

over_episodes as (

    select
        run_id,
        pass,
        denoise_step,
        layer,
        head,
        query,
        camera,
        head_role,
        any_value(threshold) as threshold,
        count(*) as n_episodes,
        avg(value) as mean_value,
        avg(is_met::double) as share_of_episodes
    from judged
    where condition_id = 'baseline:baseline'
    group by all

),

over_conditions as (

    -- A prompt counts as one, whatever its episodes: the criterion holds where it does in most of them.
    select
        run_id,
        condition_id,
        pass,
        denoise_step,
        layer,
        head,
        query,
        camera,
        head_role,
        avg(is_met::double) > 0.5 as is_met
    from judged
    where condition_id != 'baseline:baseline'
    group by all

),

over_prompts as (

    select
        run_id,
        pass,
        denoise_step,
        layer,
        head,
        query,
        camera,
        head_role,
        count(*) as n_prompts,
        avg(is_met::double) as share_of_prompts
    from over_conditions
    group by all

),

described as (

    select
        over_episodes.*,
        coalesce(over_prompts.n_prompts, 0) as n_prompts,
        over_prompts.share_of_prompts,
        over_episodes.share_of_episodes >= 0.8 as has_role
    from over_episodes
    left join over_prompts
        on
            over_episodes.run_id = over_prompts.run_id
            and over_episodes.pass = over_prompts.pass
            and over_episodes.denoise_step = over_prompts.denoise_step
            and over_episodes.layer = over_prompts.layer
            and over_episodes.head = over_prompts.head
            and over_episodes.query = over_prompts.query
            and over_episodes.camera is not distinct from over_prompts.camera
            and over_episodes.head_role = over_prompts.head_role

)

select * from described
