-- Which words look at the pictures: share of a word's attention on each region of the prefix, mean over episodes.
-- For example, of the demo: word and, layer 0, region image:base, mean_mass 0.3163, n_episodes 21 (1 of 768 rows).
select
    run_id,
    word,
    layer,
    region,
    avg(mass) as mean_mass,
    count(distinct episode_id) as n_episodes
from marts.word_attention
where region_kind = 'visual'
group by all
order by run_id, word, layer, region
