-- Vision and language by tenths of the episode: mean over the keyframes of a tenth, then over episodes; layers
-- averaged.
with by_episode as (
    select
        balance.episode_id,
        balance.denoise_step,
        least(9, 10 * balance.frame_index // episodes.n_frames)::integer as tenth,
        avg(balance.log_ratio) as log_ratio,
        avg(balance.visual_mass) as visual_mass,
        avg(balance.linguistic_mass) as linguistic_mass,
        avg(balance.visual_fraction) as visual_fraction
    from marts.modality_balance_by_step as balance
    inner join marts.episodes as episodes
        on
            balance.run_id = episodes.run_id
            and balance.episode_id = episodes.episode_id
    where
        balance.run_id = getvariable('run_id')
        and balance.condition_id = 'baseline:baseline'
        and balance.layer = -1
        and episodes.n_frames > 0
    group by all
)

select
    denoise_step,
    tenth,
    count(log_ratio) as n_episodes,
    round(avg(log_ratio), 9) as mean_log_ratio, -- the order of a sum is not fixed, what a page says is
    round(stddev_samp(log_ratio), 9) as std_log_ratio,
    round(avg(visual_mass), 9) as mean_visual_mass,
    round(stddev_samp(visual_mass), 9) as std_visual_mass,
    round(avg(linguistic_mass), 9) as mean_linguistic_mass,
    round(stddev_samp(linguistic_mass), 9) as std_linguistic_mass,
    round(avg(visual_fraction), 9) as mean_visual_fraction,
    round(stddev_samp(visual_fraction), 9) as std_visual_fraction
from by_episode
group by all
order by denoise_step, tenth
