-- Where do failures look in the last third of an episode, and where do successes: share of a camera's attention on each
-- role of objects, action tokens at the last denoising step captured, at the layer that looks at the target most.
-- For example, of the demo: camera base, layer 7, role decoy, share_in_failures 0.0154, share_in_successes 0.0142,
-- n_failures 15, n_successes 13 (1 of 10 rows).
with

actions as (

    select
        *,
        max(denoise_step) over (partition by run_id) as last_step
    from marts.roi_over_time
    where
        pass = 'suffix'
        and query = 'action'
        and action_token is null

),

best_layers as (

    select
        run_id,
        camera,
        max_by(layer, mean_log_lift) as layer
    from actions
    where
        role = 'target'
        and outcome = 'all'
        and third = 'all'
        and denoise_step = last_step
    group by all

)

select
    actions.run_id,
    actions.camera,
    actions.layer,
    actions.role,
    round(max(actions.mean_mass_share) filter (where actions.outcome = 'failure'), 4) as share_in_failures,
    round(max(actions.mean_mass_share) filter (where actions.outcome = 'success'), 4) as share_in_successes,
    max(actions.n_episodes) filter (where actions.outcome = 'failure') as n_failures,
    max(actions.n_episodes) filter (where actions.outcome = 'success') as n_successes
from actions
inner join best_layers
    using (run_id, camera, layer)
where
    actions.third = 'last'
    and actions.denoise_step = actions.last_step
group by all
order by all
