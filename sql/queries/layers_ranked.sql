-- Which layers stand out? Ranks in place of a threshold on the variance: by variance and normalised entropy of the
-- heads' maps, by the lift of the target, and by how much it exceeds that on masks of other episodes, with the mean
-- of this last rank over single episodes (near the rank itself where the ranking is stable).
-- For example, of the demo: pass prefix, denoise_step -1, query instruction, camera base, layer 0, rank_by_variance
-- 1, rank_by_entropy 1, rank_by_lift 1, rank_by_lift_gain 1, mean_rank_in_episodes 1, n_episodes 50 (1 of 46 rows).
select
    run_id,
    pass,
    denoise_step,
    query,
    camera,
    layer,
    max(layer_rank) filter (where measure = 'variance') as rank_by_variance,
    max(layer_rank) filter (where measure = 'entropy_norm') as rank_by_entropy,
    max(layer_rank) filter (where measure = 'target_lift') as rank_by_lift,
    max(layer_rank) filter (where measure = 'target_lift_gain') as rank_by_lift_gain,
    round(max(mean_episode_rank) filter (where measure = 'target_lift_gain'), 1) as mean_rank_in_episodes,
    max(n_episodes) filter (where measure = 'target_lift_gain') as n_episodes
from marts.layer_ranking
where not is_last_prefix_layer
group by all
order by run_id asc, pass asc, denoise_step asc, query asc, camera asc, rank_by_lift_gain asc nulls last, layer asc
