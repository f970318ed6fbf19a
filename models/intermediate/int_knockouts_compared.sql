with

effects as (

    select * from {{ ref('int_experiment_effects') }}
    where condition_kind = 'knockout'

),

frames as (

    select
        run_id,
        episode_id,
        frame_index,
        noise_index,
        cut,
        query,
        keys,
        layer,
        avg(mse_standardised) filter (where arm = 'cut') as error_cut,
        avg(mse_standardised) filter (where arm = 'control') as error_control
    from effects
    group by all

),

averaged_to_episodes as (

    select
        run_id,
        episode_id,
        cut,
        query,
        keys,
        layer,
        count(*) as n_pictures,
        avg(error_cut) as error_cut,
        avg(error_control) as error_control,
        avg(error_cut - error_control) as difference
    from frames
    group by all

)

select * from averaged_to_episodes
