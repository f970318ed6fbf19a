-- Where do attention and the actions disagree, in every run?
-- For example, of the planted policies: study planted-grounded, question camera, answer base, attention_answer none,
-- told 'Attention singles out no camera, but the actions depend on base.' (1 of 25 rows).
select
    runs.study,
    diagnoses.question,
    diagnoses.answer,
    diagnoses.estimate,
    diagnoses.low,
    diagnoses.high,
    diagnoses.attention_answer,
    diagnoses.disagree,
    diagnoses.told
from marts.diagnoses
inner join marts.runs
    on diagnoses.run_id = runs.run_id
order by diagnoses.disagree desc nulls last, runs.study asc, diagnoses.question asc
