select
    coalesce(outcome, 'unknown') as outcome,
    failure_kind,
    count(*) as n_episodes,
    sum(n_keyframes)::bigint as n_keyframes
from marts.episodes
where run_id = getvariable('run_id')
group by all
order by outcome desc, failure_kind asc
