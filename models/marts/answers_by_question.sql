with

episodes as (

    select * from {{ ref('int_answers_averaged_to_episodes') }}

),

tests as (

    select * from {{ ref('paired_tests') }}
    where estimand = 'accuracy_minus_majority'

),

averaged as (

    select
        run_id,
        condition_id,
        question,
        count(*) as n_episodes,
        avg(accuracy) as mean_accuracy,
        avg(majority_accuracy) as mean_majority_accuracy,
        avg(accuracy - majority_accuracy) as mean_difference
    from episodes
    group by all

)

select
    averaged.*,
    tests.low,
    tests.high
from averaged
left join tests
    on
        averaged.run_id = tests.run_id
        and averaged.condition_id = tests.condition_id
