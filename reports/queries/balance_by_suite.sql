-- Log of each episode's visual / linguistic ratio by suite, layers averaged.
select
    balance.denoise_step,
    coalesce(episodes.suite, 'no suite') as suite,
    count(*) as n_episodes,
    round(avg(ln(balance.ratio_of_means)), 9) as mean_log_ratio, -- the order of a sum is not fixed, what a page says is
    round(stddev_samp(ln(balance.ratio_of_means)), 9) as std_log_ratio
from marts.modality_balance_by_episode as balance
inner join marts.episodes as episodes
    on
        balance.run_id = episodes.run_id
        and balance.episode_id = episodes.episode_id
where
    balance.run_id = getvariable('run_id')
    and balance.layer = -1
    and balance.ratio_of_means > 0
group by all
order by balance.denoise_step, suite
