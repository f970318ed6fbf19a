-- H1.1, the seed's three criteria: overlap, concentration and Student's p of success against failure.
-- For example, of the demo: layer 0, n_episodes 52, mean_overlap_ratio_seed 0.03001, mean_attention_concentration_seed
-- 1.66, n_success 26, n_failure 26, p_student_seed 0.2539 (1 of 7 rows).
select
    layers.layer,
    layers.n_episodes,
    layers.mean_overlap_ratio_seed,
    layers.mean_attention_concentration_seed,
    tests.n_success,
    tests.n_failure,
    tests.p_student_seed
from marts.object_attention_by_layer as layers
left join marts.outcome_tests as tests
    on
        layers.run_id = tests.run_id
        and layers.pass = tests.pass
        and layers.query = tests.query
        and layers.rows = tests.rows
        and layers.camera = tests.camera
        and layers.layer = tests.layer
        and tests.metric = 'overlap_ratio_seed'
where
    layers.run_id = getvariable('run_id')
    and layers.pass = 'prefix'
    and layers.query = 'instruction'
    and layers.rows = 'max'
    and layers.camera = getvariable('camera')
    and layers.role = 'target'
    and layers.against = 'own'
    and layers.outcome = 'all'
    and not layers.is_last_prefix_layer
order by layers.layer
