-- Attention gained by the object that a changed prompt names: mean over prompts and layers that count, then over
-- episodes.
with episodes as (
    select
        pass,
        denoise_step,
        query,
        camera,
        episode_id,
        avg(mass_gain_named) as gain,
        avg(mass_share_named_baseline) as before
    from marts.prompt_shift_by_episode
    where
        run_id = getvariable('run_id')
        and condition_kind = 'prompt'
        and is_same_object is not true
        and "rows" = 'mean'
        and not is_last_prefix_layer
        and mass_gain_named is not null
    group by all
)

select
    pass,
    denoise_step,
    query,
    camera,
    count(*) as n_episodes,
    round(avg(gain), 9) as mean_gain, -- the order of a sum is not fixed, what a page says is
    round(stddev_samp(gain), 9) as std_gain,
    round(avg(before), 9) as mean_before
from episodes
group by all
order by all
