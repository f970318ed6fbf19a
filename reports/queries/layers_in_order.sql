-- Layers by how much more they look at the target than at other episodes' masks, beside their ranks by other measures.
select
    pass,
    denoise_step,
    query,
    camera,
    layer,
    max(n_episodes) as n_episodes,
    max(layer_rank) filter (where measure = 'target_lift_gain') as rank_by_gain,
    max(mean_value) filter (where measure = 'target_lift_gain') as mean_gain,
    max(std_value) filter (where measure = 'target_lift_gain') as std_gain,
    max(n_episodes) filter (where measure = 'target_lift_gain') as n_with_gain,
    max(mean_episode_rank) filter (where measure = 'target_lift_gain') as mean_episode_rank,
    max(std_episode_rank) filter (where measure = 'target_lift_gain') as std_episode_rank,
    max(layer_rank) filter (where measure = 'target_lift') as rank_by_lift,
    max(layer_rank) filter (where measure = 'entropy_norm') as rank_by_entropy,
    max(layer_rank) filter (where measure = 'variance') as rank_by_variance
from marts.layer_ranking
where run_id = getvariable('run_id') and not is_last_prefix_layer
group by all
order by pass asc, denoise_step asc, query asc, camera asc, rank_by_gain asc nulls last, rank_by_entropy asc, layer asc
