-- The run on show against every other run: episode means, and the difference B minus A with its interval.
select
    run_id_a,
    run_id_b,
    topic,
    metric,
    pass,
    denoise_step,
    query,
    "rows" as joined,
    camera,
    condition_id,
    layer,
    mean_a,
    mean_b,
    difference,
    low,
    high,
    n_a,
    n_b,
    is_paired,
    method,
    reason
from marts.run_comparison
where run_id_a = getvariable('run_id') or run_id_b = getvariable('run_id')
order by run_id_a, run_id_b, topic, metric, pass, denoise_step, query, joined, camera, condition_id, layer
