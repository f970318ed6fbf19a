-- Visual / linguistic balance of the actions by layer, as the original protocol's parser sums it up over episodes
-- (`_seed`; standard deviations with ddof = 0), and as the verdict on M does: log ratio with its interval.
-- Layer -1 is layers_avg.
with by_episode as (
    select
        denoise_step,
        layer,
        count(*) as n_episodes,
        sum(n_undefined)::bigint as n_undefined,
        avg(mean_ratio_seed) as mean_ratio_seed,
        stddev_pop(mean_ratio_seed) as std_ratio_seed,
        median(mean_ratio_seed) as median_ratio_seed,
        min(mean_ratio_seed) as min_ratio_seed,
        max(mean_ratio_seed) as max_ratio_seed,
        avg(visual_fraction) as mean_visual_fraction,
        stddev_pop(visual_fraction) as std_visual_fraction,
        avg(linguistic_fraction) as mean_linguistic_fraction,
        stddev_pop(linguistic_fraction) as std_linguistic_fraction
    from marts.modality_balance_by_episode
    where run_id = getvariable('run_id')
    group by all
)

select
    by_episode.*,
    exp(layers.log_ratio) as ratio,
    exp(layers.low) as ratio_low,
    exp(layers.high) as ratio_high,
    layers.band
from by_episode
left join marts.modality_balance_by_layer as layers
    on
        by_episode.denoise_step = layers.denoise_step
        and by_episode.layer = layers.layer
        and layers.run_id = getvariable('run_id')
        and layers.outcome = 'all'
order by by_episode.denoise_step, by_episode.layer
