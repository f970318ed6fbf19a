-- Failed episodes in which the words look at the target least, at the layer where they look at it most on average.
-- For example, of the demo: episode_id failure/2026-11-22/same_colour_bottle_50113, instruction find the bottle toy
-- and pick it up, failure_kind wrong_toy, camera wrist, layer 1, lift 1.602, n_frames 9 (1 of 20 rows).
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
    attention.run_id,
    attention.episode_id,
    episodes.instruction,
    episodes.failure_kind,
    attention.camera,
    attention.layer,
    attention.lift,
    attention.n_frames
from marts.object_attention_by_episode as attention
inner join best_layers
    on
        attention.run_id = best_layers.run_id
        and attention.camera = best_layers.camera
        and attention.layer = best_layers.layer
inner join marts.episodes
    on
        attention.run_id = episodes.run_id
        and attention.episode_id = episodes.episode_id
where
    attention.outcome = 'failure'
    and attention.pass = 'prefix'
    and attention.query = 'instruction'
    and attention.rows = 'mean'
    and attention.role = 'target'
    and attention.against = 'own'
order by attention.lift
limit 20
