-- Which dimensions of the action does each changed condition move, and by how much of what the run's own actions vary?
-- For example, of the demo: condition_id prompt:cube, dimension 1, n_episodes 36, mean_squared_change 0.4096, low
-- 0.3084, high 0.5319, mean_squared_change_standardised 6.041 (1 of 100 rows).
select
    run_id,
    condition_id,
    dimension,
    n_episodes,
    mean_squared_change,
    low,
    high,
    mean_squared_change_standardised
from marts.action_effects_by_dimension
order by run_id asc, mean_squared_change_standardised desc nulls last, condition_id asc, dimension asc
