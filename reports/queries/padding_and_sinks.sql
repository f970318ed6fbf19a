-- Share of the words' attention, over all layers and heads, that falls where nothing is to be seen.
with by_episode as (
    select
        episode_id,
        case
            when region like 'letterbox%' then 'letterbox'
            when region like 'pad%' then 'padding'
            when region like 'bos%' then 'first token'
        end as place,
        layer,
        word_index,
        sum(mass) as mass
    from marts.word_attention
    where run_id = getvariable('run_id')
    group by all
)

select
    place,
    round(avg(mass), 6) as mean_mass, -- the order of a sum is not fixed, what a page says is
    count(distinct episode_id) as n_episodes
from by_episode
where place is not null
group by place
order by mean_mass desc
