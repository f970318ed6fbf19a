with

frame_metrics as (

    select * from {{ ref('frame_metrics') }}

),

frames as (

    select * from {{ ref('stg_raw__frames') }}

),

episodes as (

    select * from {{ ref('stg_raw__episodes') }}

),

keyframes as (

    select
        frames.run_id,
        frames.episode_id,
        frames.frame_index,
        row_number() over (
            partition by frames.run_id, frames.episode_id
            order by frames.frame_index
        ) - 1 as keyframe,
        {{ episode_third('frames.frame_index', 'episodes.n_frames') }} as third
    from frames
    inner join episodes
        on
            frames.run_id = episodes.run_id
            and frames.episode_id = episodes.episode_id

),

averaged_over_objects as (

    -- A role may be played by several objects.
    select
        run_id,
        episode_id,
        frame_index,
        pass,
        denoise_step,
        layer,
        query,
        camera,
        role,
        avg(mass_share) as mass_share,
        avg(case when lift > 0 then ln(lift) end) as log_lift
    from frame_metrics
    where
        role is not null
        and mass_share is not null
        and query in ('instruction', 'action')
    group by all

),

placed as (

    select
        averaged_over_objects.run_id,
        averaged_over_objects.episode_id,
        averaged_over_objects.frame_index,
        keyframes.keyframe,
        keyframes.third,
        averaged_over_objects.* exclude (run_id, episode_id, frame_index)
    from averaged_over_objects
    inner join keyframes
        on
            averaged_over_objects.run_id = keyframes.run_id
            and averaged_over_objects.episode_id = keyframes.episode_id
            and averaged_over_objects.frame_index = keyframes.frame_index

)

select * from placed
