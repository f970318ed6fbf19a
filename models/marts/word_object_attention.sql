{{ config(materialized='incremental') }}

with

attention_masses as (

    select * from {{ changed_rows('attention_masses') }}

),

inferences as (

    select * from {{ ref('int_inferences_changed') }}

),

queries as (

    select * from {{ ref('stg_raw__queries') }}

),

image_regions as (

    -- The patches of a camera that show picture, letterbox left out.
    select
        run_id,
        layout_id,
        pass,
        region_index,
        n_keys,
        substr(name, length('image:') + 1) as camera
    from {{ ref('stg_raw__regions') }}
    where starts_with(name, 'image:')

),

objects as (

    select
        run_id,
        episode_id,
        frame_index,
        camera,
        role,
        row_number() over (
            partition by run_id, episode_id, frame_index
            order by object_index
        ) as position,
        list_sum(coverage::double[]) as n_patches_covered
    from {{ ref('stg_raw__objects') }}

),

frames as (

    select
        inferences.run_id,
        inferences.episode_id,
        inferences.frame_index,
        inferences.outcome,
        attention_masses.layer,
        {{ is_last_prefix_layer('attention_masses.pass', 'attention_masses.layer', 'inferences.n_layers') }}
            as is_last_prefix_layer,
        queries.word_index,
        substr(queries.name, length('word:') + 1) as word,
        {{ names_object("substr(queries.name, length('word:') + 1)", 'inferences.named_object') }} as names_target,
        objects.camera,
        objects.role,
        objects.position,
        -- Over heads, and over the pieces that a tokenizer made of the word.
        avg(attention_masses.object_masses[objects.position]::double) as object_mass,
        avg(attention_masses.masses[image_regions.region_index + 1]::double) as image_mass,
        max(objects.n_patches_covered / image_regions.n_keys) as area_share
    from attention_masses
    inner join inferences
        on
            attention_masses.run_id = inferences.run_id
            and attention_masses.inference_id = inferences.inference_id
    inner join queries
        on
            inferences.run_id = queries.run_id
            and inferences.layout_id = queries.layout_id
            and attention_masses.pass = queries.pass
            and attention_masses.query_index = queries.query_index
    inner join objects
        on
            inferences.run_id = objects.run_id
            and inferences.episode_id = objects.episode_id
            and inferences.frame_index = objects.frame_index
    inner join image_regions
        on
            inferences.run_id = image_regions.run_id
            and inferences.layout_id = image_regions.layout_id
            and attention_masses.pass = image_regions.pass
            and objects.camera = image_regions.camera
    where
        inferences.is_baseline
        and attention_masses.pass = 'prefix'
        and attention_masses.softmax = 'self'
        and starts_with(queries.name, 'word:')
        and objects.role != 'gripper'
    group by all

),

averaged_to_frames as (

    -- A role may be played by several objects of a frame.
    select
        * exclude (position, object_mass, image_mass, area_share),
        avg(object_mass / nullif(image_mass, 0)) as mass_share,
        avg((object_mass / nullif(image_mass, 0)) / nullif(area_share, 0)) as lift
    from frames
    group by all

),

averaged_to_episodes as (

    select
        run_id,
        episode_id,
        outcome,
        layer,
        word_index,
        word,
        names_target,
        camera,
        role,
        count(lift) as n_frames,
        avg(mass_share) as mass_share,
        avg(lift) as lift,
        is_last_prefix_layer
    from averaged_to_frames
    group by all

)

select * from averaged_to_episodes
where n_frames > 0
