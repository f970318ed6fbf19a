-- Which tokens of an action chunk look at the target: do the first ones, which are carried out, differ from the last?
-- For example, of the demo: denoise_step 0, camera base, layer 0, action_token 0, mean_mass_share 0.0132,
-- std_mass_share 0.0079, mean_mass_seed 0.00199, n_episodes 50 (1 of 256 rows).
select
    run_id,
    denoise_step,
    camera,
    layer,
    action_token,
    round(mean_mass_share, 4) as mean_mass_share,
    round(std_mass_share, 4) as std_mass_share,
    round(mean_mass_seed, 6) as mean_mass_seed,
    n_episodes
from marts.roi_over_time
where
    role = 'target'
    and outcome = 'all'
    and action_token is not null
order by run_id, denoise_step, camera, layer, action_token
