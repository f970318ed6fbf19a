-- Each word of the most frequent instructions on each role's objects, by layer: means over the instruction's episodes.
with instructions as (
    select
        instruction,
        count(*) as n_episodes
    from marts.episodes
    where run_id = getvariable('run_id') and instruction is not null
    group by instruction
    order by n_episodes desc, instruction asc
    limit getvariable('n_instructions')
)

select
    episodes.instruction,
    instructions.n_episodes as n_of_instruction,
    words.word_index,
    min(words.word) as word,
    bool_or(words.names_target) as names_target,
    words.camera,
    words.role,
    words.layer,
    words.is_last_prefix_layer,
    count(words.lift) as n_episodes,
    round(avg(words.mass_share), 9) as mean_mass_share, -- the order of a sum is not fixed, what a page says is
    round(avg(words.lift), 9) as mean_lift
from marts.word_object_attention as words
inner join marts.episodes as episodes
    on
        words.run_id = episodes.run_id
        and words.episode_id = episodes.episode_id
inner join instructions on episodes.instruction = instructions.instruction
where words.run_id = getvariable('run_id')
group by all
order by
    n_of_instruction desc, episodes.instruction asc, words.word_index asc, words.camera asc, words.role asc,
    words.layer asc
