{{ config(materialized='incremental') }}

with

attention_masses as (

    select * from {{ changed_rows('attention_masses') }}

),

inferences as (

    select * from {{ ref('int_inferences_changed') }}
    where condition_kind in ('baseline', 'prompt', 'paraphrase')

),

queries as (

    select * from {{ ref('stg_raw__queries') }}
    where name in ('instruction', 'action')

),

pictures as (

    select * from {{ ref('int_pictures_located') }}

),

objects as (

    select * from {{ ref('int_objects_weighed') }}

),

-- Numbers alone are grouped by in the large join: the names are put back behind it.
subjects as materialized (

    -- The object that the prompt names, against what else could be asked for; the rest under the baseline alone.
    select
        inferences.run_id,
        inferences.inference_id,
        inferences.layout_id,
        inferences.episode_id,
        inferences.condition_id,
        pictures.pass,
        pictures.position,
        objects.camera,
        case
            when objects.category = inferences.named_object then 'named'
            when objects.role = 'target' then 'distractor'
            else objects.role
        end as subject_role,
        objects.is_subject,
        objects.inverse_areas,
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
    where
        objects.category = inferences.named_object
        or objects.role in ('target', 'distractor')
        or (
            inferences.is_baseline
            and objects.role in ('gripper', 'goal')
        )

),

measured as (

    select
        subjects.subject,
        attention_masses.denoise_step,
        attention_masses.layer,
        attention_masses.head,
        queries.name as query,
        list_dot_product(attention_masses.object_masses, subjects.is_subject)
        / nullif(attention_masses.masses[subjects.position], 0) as mass_share,
        list_dot_product(attention_masses.object_masses, subjects.inverse_areas)
        / nullif(attention_masses.masses[subjects.position], 0) as lift
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

),

averaged_to_episodes as (

    -- Objects of a role in a frame count as often as there are.
    select
        subjects.run_id,
        subjects.episode_id,
        subjects.condition_id,
        subjects.pass,
        measured.denoise_step,
        measured.layer,
        measured.head,
        measured.query,
        subjects.camera,
        subjects.subject_role,
        count(distinct subjects.inference_id) as n_frames,
        sum(measured.mass_share) / sum(subjects.n_objects) as mass_share,
        sum(measured.lift) / sum(subjects.n_objects) as lift
    from measured
    inner join subjects using (subject)
    where measured.mass_share is not null
    group by all

)

select * from averaged_to_episodes
