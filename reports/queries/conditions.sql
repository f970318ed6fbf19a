select
    condition_id,
    kind,
    name,
    prompt_template
from marts.conditions
where run_id = getvariable('run_id')
order by condition_id
