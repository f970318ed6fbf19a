-- H2.1, ours: what a changed prompt does beyond a paraphrase, to the words' maps and to the actions.
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
