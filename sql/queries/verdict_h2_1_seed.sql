-- H2.1, the seed's three criteria; the verdict reads the mean over prompts, episode by episode.
-- For example, of the demo: condition_id prompt:banana, layer 0, n_episodes 38, mean_l2_distance 0.007228,
-- mean_correlation 0.4517, mean_centroid_shift_px 1.9 (1 of 35 rows).
select
    condition_id,
    layer,
    n_episodes,
    mean_l2_distance,
    mean_correlation,
    mean_centroid_shift_px
from marts.prompt_shift_by_layer
where
    run_id = getvariable('run_id')
    and condition_kind = 'prompt'
    and outcome = 'all'
    and pass = 'prefix'
    and query = 'instruction'
    and rows = 'max'
    and camera = getvariable('camera')
    and not is_last_prefix_layer
order by condition_id, layer
