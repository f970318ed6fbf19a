-- Heads by focus and by attention on the target; the baseline, every keyframe.
select
    pass,
    denoise_step,
    query,
    camera,
    layer,
    head,
    n_episodes,
    n_episodes_with_target,
    mean_entropy_norm,
    mean_gini,
    mean_effective_rank,
    mean_participation,
    mean_top10_share,
    mean_variance,
    mean_focus_seed,
    mean_target_share,
    mean_target_lift,
    std_target_lift,
    rank_by_focus,
    rank_by_focus_seed,
    rank_by_target_lift,
    focus_rank_correlation,
    target_lift_rank_correlation,
    is_last_prefix_layer
from marts.head_ranking
where run_id = getvariable('run_id')
order by pass, denoise_step, query, camera, layer, head
