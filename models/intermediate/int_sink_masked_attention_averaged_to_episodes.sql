{{ config(materialized='incremental') }}

with

attention_masses as (

    select * from {{ changed_rows('attention_masses') }}

),

inferences as (

    select * from {{ ref('int_inferences_changed') }}
    where is_baseline

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

    select
        inferences.run_id,
        inferences.inference_id,
        inferences.layout_id,
        inferences.episode_id,
        inferences.frame_index,
        inferences.n_layers,
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

heads as (

    -- With the sink forbidden, the softmax of a head hands its share to the other keys in proportion.
    select
        subjects.subject,
        subjects.n_objects,
        attention_masses.denoise_step,
        attention_masses.layer,
        queries.name as query,
        attention_masses.sink_share,
        1 / nullif(1 - attention_masses.sink_share::double, 0) as scale,
        list_dot_product(attention_masses.object_masses, subjects.is_subject) as object_mass,
        attention_masses.masses[subjects.position]::double as picture_mass
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

averaged_over_heads as (

    select
        subject,
        denoise_step,
        layer,
        query,
        avg(sink_share) as sink_share,
        sum(object_mass) / any_value(n_objects) / nullif(sum(picture_mass), 0) as mass_share,
        sum(object_mass * scale) / any_value(n_objects) / nullif(sum(picture_mass * scale), 0) as mass_share_sink_masked
    from heads
    group by all

),

averaged_to_frames as (

    -- A role may be played by several categories of a frame.
    select
        subjects.run_id,
        subjects.episode_id,
        subjects.frame_index,
        subjects.n_layers,
        subjects.pass,
        averaged_over_heads.denoise_step,
        averaged_over_heads.layer,
        averaged_over_heads.query,
        subjects.camera,
        subjects.role,
        avg(averaged_over_heads.sink_share) as sink_share,
        sum(averaged_over_heads.mass_share * subjects.n_objects) / sum(subjects.n_objects) as mass_share,
        sum(averaged_over_heads.mass_share_sink_masked * subjects.n_objects) / sum(subjects.n_objects)
            as mass_share_sink_masked
    from averaged_over_heads
    inner join subjects using (subject)
    where averaged_over_heads.mass_share_sink_masked is not null
    group by all

),

averaged_to_episodes as (

    select
        run_id,
        episode_id,
        pass,
        denoise_step,
        layer,
        query,
        camera,
        role,
        {{ is_last_prefix_layer() }} as is_last_prefix_layer,
        count(*) as n_frames,
        avg(sink_share) as sink_share,
        avg(mass_share) as mass_share,
        avg(mass_share_sink_masked) as mass_share_sink_masked
    from averaged_to_frames
    group by all

)

select * from averaged_to_episodes
