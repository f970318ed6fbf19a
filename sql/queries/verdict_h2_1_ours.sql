-- H2.1, ours: what a changed prompt does beyond a paraphrase, to the words' maps and to the actions.
-- For example, of the demo: estimand action_mse_minus_paraphrase, condition_id prompt:banana, layer null, n_episodes
-- 38, estimate 11.5, low 7.465, high 19.85, p 9.999e-05, p_holm 0.0005, family_size 5, reason null (1 of 75 rows).
select
    estimand,
    condition_id,
    layer,
    n_episodes,
    estimate,
    low,
    high,
    p,
    p_holm,
    family_size,
    reason
from marts.paired_tests
where
    run_id = getvariable('run_id')
    and hypothesis = 'H2.1'
    and (
        estimand = 'action_mse_minus_paraphrase'
        or (pass = 'prefix' and query = 'instruction' and camera = getvariable('camera'))
    )
order by estimand, condition_id, layer
