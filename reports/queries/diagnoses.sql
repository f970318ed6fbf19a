select
    question,
    question_in_words,
    answer,
    estimate,
    low,
    high,
    n_episodes,
    family_size,
    rule,
    because,
    attention_answer,
    attention_because,
    disagree,
    told
from marts.diagnoses
where run_id = getvariable('run_id')
order by array_position(['prompt', 'camera', 'object', 'actions_to_object', 'words_to_object'], question)
