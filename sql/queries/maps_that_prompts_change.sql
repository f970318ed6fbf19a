-- Where does another prompt change the map of the words most? Each map under a changed prompt beside the baseline's
-- of the same frame, layer and head, the least alike first; `marts.map_cosine` and its kin take any two lists.
-- For example, of the demo: condition_id prompt:banana, episode_id success/2026-11-22/same_colour_cat_50102,
-- frame_index 0, camera base, layer 0, head -1, cosine 0.302, correlation 0.01, l2_unit 0.1509, centroid_shift_px
-- 2.2, picture pictures/80e1f988a69f1230/00000-bdaa3b0b.jpg (1 of 20 rows).
select
    changed.run_id,
    changed.condition_id,
    changed.episode_id,
    changed.frame_index,
    changed.camera,
    changed.layer,
    changed.head,
    round(marts.map_cosine(changed.map, baseline.map), 3) as cosine,
    round(marts.map_correlation(changed.map, baseline.map), 3) as correlation,
    round(marts.map_l2(changed.map, baseline.map), 4) as l2_unit,
    round(marts.map_l2(marts.map_centroid(changed.map), marts.map_centroid(baseline.map)), 1) as centroid_shift_px,
    changed.picture
from marts.frame_gallery as changed
inner join marts.frame_gallery as baseline
    using (run_id, episode_id, frame_index, camera, pass, denoise_step, layer, query, head)
where
    changed.pass = 'prefix'
    and changed.query = 'instruction'
    and changed.condition_id != 'baseline:baseline'
    and baseline.condition_id = 'baseline:baseline'
    and not changed.is_last_prefix_layer
order by cosine asc nulls last, l2_unit desc
limit 20
