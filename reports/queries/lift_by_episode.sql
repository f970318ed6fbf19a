select
    pass,
    denoise_step,
    query,
    camera,
    layer,
    coalesce(outcome, 'unknown') as outcome,
    episode_id,
    log_lift,
    lift,
    is_last_prefix_layer
from marts.object_attention_by_episode
where
    run_id = getvariable('run_id')
    and role = 'target'
    and against = 'own'
    and "rows" = 'mean'
    and log_lift is not null
order by all
