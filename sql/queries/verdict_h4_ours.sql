-- H4, ours: how much of the variance of the target's lift lies between the heads of a layer, and whether heads keep
-- their order in the other half of the episodes; layer -1 is all of them, on which the verdict rests.
-- For example, of the demo: layer -1, n_episodes 52, n_heads 4, share_between_heads 0.6891, low 0.6378, high 0.7496, p
-- 0.000999, p_holm 0.000999, split_half_correlation 0.8968, family_size 1, reason null (1 of 8 rows).
select
    layer,
    n_episodes,
    n_heads,
    share_between_heads,
    low,
    high,
    p,
    p_holm,
    split_half_correlation,
    family_size,
    reason
from marts.head_specialisation
where
    run_id = getvariable('run_id')
    and measure = 'target_lift'
    and pass = 'prefix'
    and query = 'instruction'
    and camera = getvariable('camera')
order by layer
