-- Every word over all instructions: lift on the target in one layer, mean log over a word's places in an episode, then
-- over episodes.
with by_episode as (
    select
        episode_id,
        camera,
        lower(word) as word,
        names_target,
        avg(ln(lift)) as log_lift
    from marts.word_object_attention
    where
        run_id = getvariable('run_id')
        and role = 'target'
        and layer = getvariable('layer')
        and lift > 0
    group by all
)

select
    camera,
    word,
    names_target,
    count(*) as n_episodes,
    round(avg(log_lift), 9) as mean_log_lift, -- the order of a sum is not fixed, what a page says is
    round(stddev_samp(log_lift), 9) as std_log_lift
from by_episode
group by all
order by camera asc, n_episodes desc, word asc, names_target asc
