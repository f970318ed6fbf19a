with

episodes as (

    select * from {{ ref('modality_balance_by_episode') }}

),

outcomes as (

    select * from {{ ref('int_episodes_grouped_by_outcome') }}

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

intervals as (

    select * from {{ ref('bootstrap_intervals') }}
    where topic = 'modality balance'

),

averaged as (

    select
        episodes.run_id,
        episodes.denoise_step,
        episodes.layer,
        outcomes.outcome,
        {{ balance_over_episodes() }}
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
        {{ balance_claimed('runs.n_layers') }}
    from averaged
    inner join runs
        on averaged.run_id = runs.run_id
    left join intervals
        on
            averaged.run_id = intervals.run_id
            and averaged.denoise_step = intervals.denoise_step
            and averaged.layer = intervals.layer
            and averaged.outcome = intervals.outcome

)

select * from joined
