select
    question,
    candidate,
    n_episodes,
    mean_error,
    mean_error_noise,
    share_of_variance,
    estimate,
    low,
    high,
    p_holm,
    reading,
    reason,
    p_behind,
    exp(attention_log_lift) as attention_lift
from marts.diagnosis_tests
where run_id = getvariable('run_id')
order by
    array_position(['prompt', 'camera', 'object', 'actions_to_object', 'words_to_object'], question) asc,
    estimate desc nulls last,
    candidate asc
