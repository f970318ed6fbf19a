with

episodes as (

    select * from {{ ref('int_roi_averaged_to_episodes') }}

),

outcomes as (

    select * from {{ ref('int_episodes_grouped_by_outcome') }}

),

averaged_over_episodes as (

    select
        episodes.run_id,
        outcomes.outcome,
        episodes.pass,
        episodes.denoise_step,
        episodes.layer,
        episodes.query,
        episodes.action_token,
        episodes.camera,
        episodes.role,
        episodes.third,
        episodes.is_last_prefix_layer,
        count(*) as n_episodes,
        avg(episodes.mass_share) as mean_mass_share,
        stddev_samp(episodes.mass_share) as std_mass_share,
        avg(episodes.log_lift) as mean_log_lift,
        stddev_samp(episodes.log_lift) as std_log_lift,
        avg(episodes.mass_seed) as mean_mass_seed
    from episodes
    inner join outcomes
        on
            episodes.run_id = outcomes.run_id
            and episodes.episode_id = outcomes.episode_id
    group by all

)

select * from averaged_over_episodes
