-- Every hypothesis of every run: what the seed's criteria say and what ours do.
-- For example, of the demo: hypothesis H1, question Do the pixels with the most attention matter more to the actions
-- than..., verdict_ours supported, verdict_seed supported, n_episodes 52 (1 of 9 rows).
select
    run_id,
    hypothesis,
    any_value(question) as question,
    max(verdict) filter (where criteria = 'ours') as verdict_ours,
    max(verdict) filter (where criteria = 'seed') as verdict_seed,
    max(n) filter (where criteria = 'ours') as n_episodes
from marts.hypothesis_verdicts
group by
    run_id,
    hypothesis
order by run_id, hypothesis
