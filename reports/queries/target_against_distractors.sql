-- How much more attention the target gets than the distractors: log lift of the one minus that of the others, within an
-- episode, averaged over the layers that count, then over episodes. The word that names the target has rows of its own.
with maps as (
    select
        target.pass,
        target.denoise_step,
        target.query,
        target.camera,
        target.episode_id,
        false as names_target,
        avg(target.log_lift - others.log_lift) as log_ratio,
        count(*) as n_layers
    from marts.object_attention_by_episode as target
    inner join marts.object_attention_by_episode as others
        using (run_id, episode_id, pass, denoise_step, layer, query, rows, camera, against)
    where
        target.run_id = getvariable('run_id')
        and target.role = 'target'
        and others.role = 'distractor'
        and target.against = 'own'
        and target.rows = 'mean'
        and not target.is_last_prefix_layer
        and target.log_lift is not null
        and others.log_lift is not null
    group by all
),

words as (
    select
        episode_id,
        camera,
        layer,
        avg(ln(lift)) filter (where role = 'target')
        - avg(ln(lift)) filter (where role = 'distractor') as log_ratio
    from marts.word_object_attention
    where
        run_id = getvariable('run_id')
        and names_target
        and role in ('target', 'distractor')
        and lift > 0
        and not is_last_prefix_layer
    group by all
),

episodes as (
    select * from maps
    union all by name
    select
        'prefix' as pass,
        -1 as denoise_step,
        'instruction' as query,
        camera,
        episode_id,
        true as names_target,
        avg(log_ratio) as log_ratio,
        count(*) as n_layers
    from words
    where log_ratio is not null
    group by all
)

select
    pass,
    denoise_step,
    query,
    camera,
    names_target,
    count(*) as n_episodes,
    max(n_layers) as n_layers,
    round(avg(log_ratio), 9) as mean_log_ratio, -- the order of a sum is not fixed, what a page says is
    round(stddev_samp(log_ratio), 9) as std_log_ratio
from episodes
group by all
order by all
