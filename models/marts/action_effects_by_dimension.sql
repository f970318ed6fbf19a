with

intervals as (

    select * from {{ ref('bootstrap_intervals') }}
    where topic = 'action change by dimension'

),

conditions as (

    select * from {{ ref('stg_raw__conditions') }}

),

variances as (

    select * from {{ ref('int_action_variances') }}

)

select
    intervals.run_id,
    intervals.condition_id,
    conditions.kind as condition_kind,
    conditions.params,
    intervals.dimension,
    intervals.n as n_episodes,
    intervals.estimate as mean_squared_change,
    intervals.bca_low as low,
    intervals.bca_high as high,
    variances.variance as variance_of_actions,
    intervals.estimate / nullif(variances.variance, 0) as mean_squared_change_standardised
from intervals
inner join conditions
    on
        intervals.run_id = conditions.run_id
        and intervals.condition_id = conditions.condition_id
left join variances
    on
        intervals.run_id = variances.run_id
        and intervals.dimension = variances.dimension
