{{ config(materialized='table') }}

with

objects as (

    select * from {{ ref('stg_raw__objects') }}

),

subjects as (

    select distinct
        run_id,
        episode_id,
        frame_index,
        camera,
        category,
        role
    from objects
    where role is not null

),

weighed as (

    -- In the order of attention_masses.object_masses, so that one dot product gives the mass, or the lift's numerator.
    -- An object without area, which an empty mask leaves, has neither.
    select
        subjects.run_id,
        subjects.episode_id,
        subjects.frame_index,
        subjects.camera,
        subjects.category,
        subjects.role,
        list(
            (
                objects.area_share > 0
                and objects.camera = subjects.camera
                and objects.category = subjects.category
            )::double
            order by objects.object_index
        ) as is_subject,
        list(
            case
                when
                    objects.area_share > 0
                    and objects.camera = subjects.camera
                    and objects.category = subjects.category
                    then 1 / objects.area_share
                else 0
            end
            order by objects.object_index
        ) as inverse_areas
    from subjects
    inner join objects
        on
            subjects.run_id = objects.run_id
            and subjects.episode_id = objects.episode_id
            and subjects.frame_index = objects.frame_index
    group by all

),

counted as (

    select
        *,
        list_sum(is_subject)::integer as n_objects
    from weighed

)

select * from counted
where n_objects > 0
