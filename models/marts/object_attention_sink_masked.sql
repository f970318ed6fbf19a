with

episodes as (

    select * from {{ ref('int_sink_masked_attention_averaged_to_episodes') }}

),

outcomes as (

    select * from {{ ref('int_episodes_grouped_by_outcome') }}

),

averaged_to_layers as (

    select
        episodes.run_id,
        outcomes.outcome,
        episodes.pass,
        episodes.denoise_step,
        episodes.layer,
        episodes.query,
        episodes.camera,
        episodes.role,
        episodes.is_last_prefix_layer,
        count(*) as n_episodes,
        avg(episodes.sink_share) as mean_sink_share,
        avg(episodes.mass_share) as mean_mass_share,
        avg(episodes.mass_share_sink_masked) as mean_mass_share_sink_masked,
        avg(episodes.mass_share_sink_masked - episodes.mass_share) as mean_difference,
        stddev_samp(episodes.mass_share_sink_masked - episodes.mass_share) as std_difference
    from episodes
    inner join outcomes
        on
            episodes.run_id = outcomes.run_id
            and episodes.episode_id = outcomes.episode_id
    group by all

)

select * from averaged_to_layers
