-- Which layers to ablate first: by how much more the words look at the target than at masks of other episodes, and by
-- how the layer's map differs from the next one's (a layer that the next one repeats can be spared).
-- For example, of the demo: camera base, layer 0, target_lift 7.629, lift_above_centre_bias 6.534, flow_to_next_layer
-- 0.195, n_episodes 50 (1 of 14 rows).
select
    own.run_id,
    own.camera,
    own.layer,
    round(own.mean_lift, 3) as target_lift,
    round(own.mean_lift - elsewhere.mean_lift, 3) as lift_above_centre_bias,
    round(flow.mean_flow, 3) as flow_to_next_layer,
    own.n_episodes
from marts.object_attention_by_layer as own
inner join marts.object_attention_by_layer as elsewhere
    using (run_id, outcome, pass, denoise_step, layer, query, rows, camera, role)
left join marts.layer_flow as flow
    using (run_id, outcome, pass, denoise_step, layer, query, camera)
where
    own.outcome = 'all'
    and own.pass = 'prefix'
    and own.rows = 'mean'
    and own.role = 'target'
    and own.against = 'own'
    and elsewhere.against = 'other_episode'
    and not own.is_last_prefix_layer
order by own.run_id asc, lift_above_centre_bias desc
