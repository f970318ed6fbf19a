-- The frames worth looking at: keyframes in which the words see the target least, at the layer where they see it most
-- on average, with the picture in the lake.
-- For example, of the demo: episode_id failure/2026-11-22/same_colour_bottle_50113, frame_index 6, camera wrist, layer
-- 1, category bottle, lift 0.854, area_share 0.002, picture pictures/5cf23856f37cc2a2/00006-2b422bc4.jpg (1 of 20
-- rows).
with

best_layers as (

    select
        run_id,
        camera,
        max_by(layer, mean_lift) as layer
    from marts.object_attention_by_layer
    where
        pass = 'prefix'
        and query = 'instruction'
        and rows = 'mean'
        and role = 'target'
        and against = 'own'
        and outcome = 'all'
        and not is_last_prefix_layer
    group by all

)

select
    frame_metrics.run_id,
    frame_metrics.episode_id,
    frame_metrics.frame_index,
    frame_metrics.camera,
    frame_metrics.layer,
    frame_metrics.category,
    round(frame_metrics.lift, 3) as lift,
    round(frame_metrics.area_share, 4) as area_share,
    frames.pictures ->> ('$.' || frame_metrics.camera) as picture
from marts.frame_metrics
inner join best_layers
    using (run_id, camera, layer)
inner join marts.frames
    using (run_id, episode_id, frame_index)
where
    frame_metrics.pass = 'prefix'
    and frame_metrics.query = 'instruction'
    and frame_metrics.role = 'target'
    and frame_metrics.lift is not null
order by frame_metrics.lift
limit 20
