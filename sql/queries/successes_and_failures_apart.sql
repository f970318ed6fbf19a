-- What tells success from failure: metrics whose corrected p is smallest, with their effect size and its interval.
-- For example, of the demo: metric mass_share, pass prefix, denoise_step -1, camera wrist, layer 5, mean_success
-- 0.0481, mean_failure 0.0293, hedges_g 2.01, g_low 1.34, g_high 2.66, p_corrected 0.0007, family_size 7, n_success
-- 26, n_failure 26 (1 of 20 rows).
select
    run_id,
    metric,
    pass,
    denoise_step,
    camera,
    layer,
    round(mean_success, 4) as mean_success,
    round(mean_failure, 4) as mean_failure,
    round(hedges_g, 2) as hedges_g,
    round(g_low, 2) as g_low,
    round(g_high, 2) as g_high,
    round(p_permutation_holm, 4) as p_corrected,
    family_size,
    n_success,
    n_failure
from marts.outcome_tests
where
    metric not like '%\_seed' escape '\'
    and p_permutation_holm is not null
order by p_permutation_holm asc, abs(hedges_g) desc
limit 20
