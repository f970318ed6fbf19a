-- Which heads track the object that the prompt names: their lift on it, and how often the criterion holds over episodes
-- and over other prompts.
-- For example, of the demo: query instruction, denoise_step -1, camera base, layer 0, head 1, mean_lift 18.31,
-- share_of_episodes 1, share_of_prompts 1, has_role True (1 of 20 rows).
select
    head_roles.run_id,
    head_roles.query,
    head_roles.denoise_step,
    head_roles.camera,
    head_roles.layer,
    head_roles.head,
    round(head_roles.mean_value, 2) as mean_lift,
    round(head_roles.share_of_episodes, 2) as share_of_episodes,
    round(head_roles.share_of_prompts, 2) as share_of_prompts,
    head_roles.has_role
from marts.head_roles
inner join marts.runs
    on head_roles.run_id = runs.run_id
where
    head_roles.head_role = 'tracks target'
    and not (head_roles.pass = 'prefix' and head_roles.layer = runs.n_layers - 1)
order by head_roles.mean_value desc
limit 20
