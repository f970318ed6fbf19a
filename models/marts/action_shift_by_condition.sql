with

episodes as (

    -- A prompt that names the baseline's own object asks for nothing else: no counterfactual, left out.
    select * from {{ ref('int_action_shifts_averaged_to_episodes') }}
    where
        condition_kind = 'paraphrase'
        or not is_same_object

),

outcomes as (

    select * from {{ ref('int_episodes_grouped_by_outcome') }}

),

intervals as (

    select * from {{ ref('bootstrap_intervals') }}
    where topic = 'action shift'

),

averaged as (

    select
        episodes.run_id,
        episodes.condition_id,
        episodes.condition_kind,
        outcomes.outcome,
        count(*) as n_episodes,
        avg(episodes.mse) as mean_mse,
        stddev_samp(episodes.mse) as std_mse,
        avg(episodes.mse_standardised) as mean_mse_standardised,
        stddev_samp(episodes.mse_standardised) as std_mse_standardised
    from episodes
    inner join outcomes
        on
            episodes.run_id = outcomes.run_id
            and episodes.episode_id = outcomes.episode_id
    group by all

),

joined as (

    select
        averaged.*,
        intervals.bca_low as low,
        intervals.bca_high as high
    from averaged
    left join intervals
        on
            averaged.run_id = intervals.run_id
            and averaged.condition_id = intervals.condition_id
            and averaged.outcome = intervals.outcome

)

select * from joined
