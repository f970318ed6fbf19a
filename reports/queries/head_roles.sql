select
    pass,
    denoise_step,
    query,
    layer,
    head,
    camera,
    head_role,
    threshold::double as threshold,
    n_episodes,
    mean_value,
    share_of_episodes,
    n_prompts,
    share_of_prompts,
    has_role
from marts.head_roles
where run_id = getvariable('run_id')
order by pass, denoise_step, head_role, camera, layer, head
