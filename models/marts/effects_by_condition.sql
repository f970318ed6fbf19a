with

episodes as (

    select * from {{ ref('int_experiments_averaged_to_episodes') }}

),

conditions as (

    select * from {{ ref('stg_raw__conditions') }}

),

intervals as (

    select * from {{ ref('bootstrap_intervals') }}
    where topic = 'experiment'

),

averaged as (

    select
        run_id,
        condition_id,
        condition_kind,
        count(*) as n_episodes,
        avg(mse) as mean_mse,
        avg(mse_standardised) as mean_mse_standardised,
        stddev_samp(mse_standardised) as std_mse_standardised
    from episodes
    group by all

)

select
    averaged.*,
    conditions.params,
    intervals.bca_low as low,
    intervals.bca_high as high
from averaged
inner join conditions
    on
        averaged.run_id = conditions.run_id
        and averaged.condition_id = conditions.condition_id
left join intervals
    on
        averaged.run_id = intervals.run_id
        and averaged.condition_id = intervals.condition_id
