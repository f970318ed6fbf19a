-- Lift on the target of the word that names it and of all others: mean over an episode's words, then over episodes.
with by_episode as (
    select
        episode_id,
        camera,
        layer,
        names_target,
        is_last_prefix_layer,
        avg(ln(lift)) as log_lift
    from marts.word_object_attention
    where
        run_id = getvariable('run_id')
        and role = 'target'
        and lift > 0
    group by all
)

select
    camera,
    layer,
    names_target,
    is_last_prefix_layer,
    count(*) as n_episodes,
    round(avg(log_lift), 9) as mean_log_lift, -- the order of a sum is not fixed, what a page says is
    round(stddev_samp(log_lift), 9) as std_log_lift
from by_episode
group by all
order by camera asc, names_target desc, layer asc
