select
    run_id,
    study,
    policy,
    is_planted,
    question,
    question_in_words,
    expected,
    known_by,
    answer,
    is_right,
    estimate,
    low,
    high,
    n_episodes,
    because,
    attention_answer,
    attention_because,
    disagree,
    told
from marts.planted_truths
order by is_planted, policy, array_position(['prompt', 'camera', 'object'], question), run_id
