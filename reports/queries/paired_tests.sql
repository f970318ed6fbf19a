select
    estimand,
    pass,
    denoise_step,
    query,
    camera,
    condition_id,
    layer,
    n_episodes,
    estimate,
    low,
    high,
    p,
    p_holm,
    p_bh,
    family_size,
    alternative,
    is_small_n,
    reason
from marts.paired_tests
where run_id = getvariable('run_id') and hypothesis = getvariable('hypothesis')
order by estimand, pass, denoise_step, camera, condition_id, layer
