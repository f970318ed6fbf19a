-- Two runs, such as two checkpoints, on the measures they share: where their interval leaves out 0, largest first.
-- A row reads: object attention, log_lift, prefix, camera base, layer 2, mean_a 1.02, mean_b 1.66, difference 0.64, low
-- 0.41, high 0.86, is_paired true, n_a 40, n_b 40. Without a second run in the warehouse there is none.
select
    run_id_a,
    run_id_b,
    topic,
    metric,
    pass,
    denoise_step,
    camera,
    condition_id,
    layer,
    round(mean_a, 4) as mean_a,
    round(mean_b, 4) as mean_b,
    round(difference, 4) as difference,
    round(low, 4) as low,
    round(high, 4) as high,
    is_paired,
    n_a,
    n_b
from marts.run_comparison
where
    low > 0
    or high < 0
order by run_id_a asc, run_id_b asc, abs(difference) / (high - low) desc
limit 40
