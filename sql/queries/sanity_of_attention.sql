-- Does attention change when the model's weights are shuffled from the top down, and does it still find the target?
-- For example, of studies/changed-models.yaml: n_layers_randomised 8, layer 0, camera base, is_randomised true,
-- n_episodes 30, mean_correlation -0.04666, mean_jsd 0.02097, mean_target_log_lift -0.005045,
-- mean_target_log_lift_change -1.835 (1 of 70 rows).
select
    run_id,
    n_layers_randomised,
    layer,
    camera,
    is_randomised,
    n_episodes,
    mean_correlation,
    correlation_low,
    correlation_high,
    mean_jsd,
    mean_target_log_lift,
    mean_target_log_lift_change,
    target_log_lift_change_low,
    target_log_lift_change_high
from marts.sanity_by_layer
where
    pass = 'prefix'
    and query = 'instruction'
    and not is_last_prefix_layer
order by run_id, camera, n_layers_randomised, layer
