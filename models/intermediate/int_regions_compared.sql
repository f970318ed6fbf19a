with

effects as (

    select * from {{ ref('int_experiment_effects') }}
    where
        condition_kind = 'occlusion'
        and region is not null

),

frames as (

    select
        run_id,
        episode_id,
        frame_index,
        noise_index,
        region,
        camera,
        fill,
        avg(mse_standardised) filter (where arm = 'region') as error_region,
        avg(mse_standardised) filter (where arm = 'region_control') as error_control
    from effects
    group by all

),

averaged_to_episodes as (

    select
        run_id,
        episode_id,
        region,
        camera,
        fill,
        count(*) as n_pictures,
        avg(error_region) as error_region,
        avg(error_control) as error_control,
        avg(error_region - error_control) as difference
    from frames
    group by all

)

select * from averaged_to_episodes
