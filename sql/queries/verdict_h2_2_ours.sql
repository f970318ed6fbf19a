-- H2.2, ours: right answers against always giving the most frequent right one.
-- The demo has no row: it asks the model no questions.
select
    question,
    n_episodes,
    mean_accuracy,
    mean_majority_accuracy,
    mean_difference,
    low,
    high
from marts.answers_by_question
where run_id = getvariable('run_id')
order by question
