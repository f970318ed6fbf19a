select
    hypothesis,
    criteria,
    verdict,
    question,
    estimate,
    low,
    high,
    p,
    estimate_unit,
    n,
    family_size,
    camera,
    because,
    query
from marts.hypothesis_verdicts
where run_id = getvariable('run_id')
order by hypothesis, criteria
