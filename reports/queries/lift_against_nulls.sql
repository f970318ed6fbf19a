select
    pass,
    denoise_step,
    query,
    camera,
    layer,
    role,
    against,
    n_episodes,
    mean_lift,
    mean_log_lift,
    std_log_lift,
    mean_mass_share,
    mean_pointing_hit,
    is_last_prefix_layer
from marts.object_attention_by_layer
where
    run_id = getvariable('run_id')
    and outcome = 'all'
    and "rows" = 'mean'
    and role in ('target', 'distractor')
order by all
