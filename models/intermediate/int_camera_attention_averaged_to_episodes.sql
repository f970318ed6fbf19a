{{ config(materialized='incremental') }}

with

attention_masses as (

    select * from {{ changed_rows('attention_masses') }}
    where softmax = 'self'

),

inferences as (

    select * from {{ ref('int_inferences_changed') }}
    where is_baseline

),

queries as (

    select * from {{ ref('stg_raw__queries') }}
    where name = 'action'

),

pictures as (

    select * from {{ ref('int_pictures_located') }}

),

regions as (

    select * from {{ ref('stg_raw__regions') }}

),

averaged_over_heads as (

    select
        inferences.run_id,
        inferences.episode_id,
        inferences.frame_index,
        attention_masses.pass,
        attention_masses.denoise_step,
        attention_masses.layer,
        pictures.camera,
        any_value(regions.n_keys) as n_keys,
        avg(attention_masses.masses[pictures.position]::double) as mass
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
    inner join pictures
        on
            inferences.run_id = pictures.run_id
            and inferences.layout_id = pictures.layout_id
            and attention_masses.pass = pictures.pass
    inner join regions
        on
            pictures.run_id = regions.run_id
            and pictures.layout_id = regions.layout_id
            and pictures.pass = regions.pass
            and pictures.position = regions.region_index + 1
    group by all

),

-- In two steps: DuckDB 1.4 takes no window within nullif().
added_up as (

    select
        *,
        count(*) over picture as n_cameras,
        sum(mass) over picture as mass_of_all,
        sum(n_keys) over picture as n_keys_of_all
    from averaged_over_heads
    window picture as (partition by run_id, episode_id, frame_index, pass, denoise_step, layer)

),

shared as (

    select
        *,
        mass / nullif(mass_of_all, 0) as mass_share,
        n_keys / n_keys_of_all as even_share
    from added_up
    where n_cameras > 1 -- of one camera there is nothing to share

),

averaged_to_episodes as (

    select
        run_id,
        episode_id,
        pass,
        denoise_step,
        camera,
        count(distinct frame_index) as n_frames,
        avg(mass_share) as mass_share,
        avg(even_share) as even_share,
        avg(ln(nullif(mass_share, 0) / even_share)) as log_lift
    from shared
    group by all

)

select * from averaged_to_episodes
