-- The seed ranks heads on the first frame alone: its ranking by its own score beside the one by normalised entropy over
-- all keyframes, and how stable that one is from one half of the episodes to the other.
-- For example, of the demo: pass prefix, denoise_step -1, camera base, agreement_of_ranks 0.572,
-- stability_over_episodes 0.979, n_heads 28 (1 of 6 rows).
select
    run_id,
    pass,
    denoise_step,
    camera,
    round(corr(rank_by_focus_seed, rank_by_focus), 3) as agreement_of_ranks,
    round(any_value(focus_rank_correlation), 3) as stability_over_episodes,
    count(*) as n_heads
from marts.head_ranking
where not is_last_prefix_layer
group by all
order by all
