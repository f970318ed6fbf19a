-- Where each word of the most frequent instructions looks at all: shares of its attention, mean over the layers but the
-- last of the prefix, then over the instruction's episodes.
with instructions as (
    select
        instruction,
        count(*) as n_episodes
    from marts.episodes
    where run_id = getvariable('run_id') and instruction is not null
    group by instruction
    order by n_episodes desc, instruction asc
    limit getvariable('n_instructions')
),

by_episode as (
    select
        episodes.instruction,
        instructions.n_episodes as n_of_instruction,
        words.episode_id,
        words.word_index,
        min(words.word) as word,
        words.region,
        avg(words.mass) as mass
    from marts.word_attention as words
    inner join marts.episodes as episodes
        on
            words.run_id = episodes.run_id
            and words.episode_id = episodes.episode_id
    inner join instructions on episodes.instruction = instructions.instruction
    where
        words.run_id = getvariable('run_id')
        and not words.is_last_prefix_layer
        and words.word_index is not null
    group by all
)

select
    instruction,
    n_of_instruction,
    word_index,
    min(word) as word,
    region,
    count(*) as n_episodes,
    round(avg(mass), 9) as mean_mass -- the order of a sum is not fixed, what a page says is
from by_episode
group by all
order by n_of_instruction desc, instruction asc, word_index asc, region asc
