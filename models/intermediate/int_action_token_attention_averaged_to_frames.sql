with

attention_masses as (

    select * from {{ changed_rows('attention_masses') }}

),

inferences as (

    select * from {{ ref('int_inferences_changed') }}
    where is_baseline

),

queries as (

    select
        *,
        try_cast(substr(name, length('action:') + 1) as integer) as action_token
    from {{ ref('stg_raw__queries') }}
    where starts_with(name, 'action:')

),

pictures as (

    select * from {{ ref('int_pictures_located') }}

),

objects as (

    select * from {{ ref('int_objects_weighed') }}

),

-- Numbers alone are grouped by in the large join: the names are put back behind it.
subjects as materialized (

    select
        inferences.run_id,
        inferences.inference_id,
        inferences.layout_id,
        inferences.episode_id,
        inferences.frame_index,
        pictures.pass,
        pictures.position,
        objects.camera,
        objects.role,
        objects.is_subject,
        objects.n_objects,
        row_number() over () as subject
    from inferences
    inner join pictures
        on
            inferences.run_id = pictures.run_id
            and inferences.layout_id = pictures.layout_id
    inner join objects
        on
            inferences.run_id = objects.run_id
            and inferences.episode_id = objects.episode_id
            and inferences.frame_index = objects.frame_index
            and pictures.camera = objects.camera

),

averaged_over_heads as (

    select
        subjects.subject,
        attention_masses.denoise_step,
        attention_masses.layer,
        queries.action_token,
        sum(list_dot_product(attention_masses.object_masses, subjects.is_subject)) / any_value(subjects.n_objects)
        / nullif(sum(attention_masses.masses[subjects.position]), 0) as mass_share,
        avg(list_dot_product(attention_masses.object_masses, subjects.is_subject)) / any_value(subjects.n_objects)
            as mass_seed
    from attention_masses
    inner join subjects
        on
            attention_masses.run_id = subjects.run_id
            and attention_masses.inference_id = subjects.inference_id
            and attention_masses.pass = subjects.pass
    inner join queries
        on
            subjects.run_id = queries.run_id
            and subjects.layout_id = queries.layout_id
            and attention_masses.pass = queries.pass
            and attention_masses.query_index = queries.query_index
    where attention_masses.softmax = 'self'
    group by all

),

averaged_to_frames as (

    -- A role may be played by several categories of a frame.
    select
        subjects.run_id,
        subjects.episode_id,
        subjects.frame_index,
        subjects.pass,
        averaged_over_heads.denoise_step,
        averaged_over_heads.layer,
        averaged_over_heads.action_token,
        subjects.camera,
        subjects.role,
        sum(averaged_over_heads.mass_share * subjects.n_objects) / sum(subjects.n_objects) as mass_share,
        sum(averaged_over_heads.mass_seed * subjects.n_objects) / sum(subjects.n_objects) as mass_seed
    from averaged_over_heads
    inner join subjects using (subject)
    where averaged_over_heads.mass_share is not null
    group by all

)

select * from averaged_to_frames
