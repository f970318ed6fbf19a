-- Two runs, such as two checkpoints, on the measures they share: where their interval leaves out 0, largest first.
-- The demo has no row: it is one run. For example, of two drawn runs of the tests: topic modality balance,
-- metric log_ratio, pass suffix, denoise_step 0, layer -1, mean_a 0.0426, mean_b -0.0189, difference -0.0615,
-- low -0.0849, high -0.0467, is_paired true, n_a 5, n_b 5.
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
