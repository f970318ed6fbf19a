with

policies as (

    select distinct
        run_id,
        policy,
        is_planted
    from marts.planted_truths

)

select
    policies.policy,
    tests.question,
    tests.candidate,
    tests.n_episodes,
    tests.mean_error,
    tests.mean_error_noise,
    tests.share_of_variance,
    tests.estimate,
    tests.low,
    tests.high,
    tests.p_holm,
    tests.reading,
    tests.reason,
    tests.p_behind,
    exp(tests.attention_log_lift) as attention_lift
from marts.diagnosis_tests as tests
inner join policies
    on tests.run_id = policies.run_id
order by
    policies.is_planted asc,
    policies.policy asc,
    array_position(['prompt', 'camera', 'object', 'actions_to_object', 'words_to_object'], tests.question) asc,
    tests.estimate desc nulls last,
    tests.candidate asc
