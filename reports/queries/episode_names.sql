-- The episodes of a run by name, for whoever asks for one.
select
    episode_id,
    instruction,
    outcome
from marts.episodes
where run_id = getvariable('run_id')
order by episode_id
