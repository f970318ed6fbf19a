-- Which tokens of an action chunk look at the target: do the first ones, which are carried out, differ from the last?
select
    run_id,
    denoise_step,
    camera,
    layer,
    action_token,
    round(mean_mass_share, 4) as mean_mass_share,
    round(std_mass_share, 4) as std_mass_share,
    n_episodes
from marts.roi_over_time
where
    role = 'target'
    and outcome = 'all'
    and action_token is not null
order by run_id, denoise_step, camera, layer, action_token
