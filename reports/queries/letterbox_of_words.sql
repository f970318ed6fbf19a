-- Of the words' attention on pictures (visual mass), the share on letterbox bars; the last prefix layer left out.
with by_episode as (
    select
        episode_id,
        coalesce(sum(mass) filter (where region like 'letterbox%'), 0) as on_bars,
        sum(mass) as visual_mass
    from marts.word_attention
    where
        run_id = getvariable('run_id')
        and region_kind = 'visual'
        and not is_last_prefix_layer
    group by episode_id
)

select
    round(avg(on_bars / visual_mass), 6) as share,
    count(*) as n_episodes
from by_episode
where visual_mass > 0
