-- How many words the baseline's instructions have: the map of the words is the mean over them.
with by_episode as (
    select
        episode_id,
        count(distinct word_index) as n_words
    from marts.word_attention
    where run_id = getvariable('run_id')
    group by episode_id
)

select
    min(n_words) as fewest,
    max(n_words) as most,
    count(*) as n_episodes
from by_episode
