-- One row an episode, with its attention on the target at the layer the table is about and its modality ratio.
with lift as (
    select
        episode_id,
        lift,
        mass_share
    from marts.object_attention_by_episode
    where
        run_id = getvariable('run_id')
        and pass = getvariable('pass')
        and denoise_step = getvariable('denoise_step')
        and layer = getvariable('layer')
        and query = getvariable('query')
        and camera = getvariable('camera')
        and role = 'target'
        and against = 'own'
        and "rows" = 'mean'
),

ratio as (
    select
        episode_id,
        ratio_of_means
    from marts.modality_balance_by_episode
    where run_id = getvariable('run_id') and layer = -1 and denoise_step = getvariable('ratio_step')
)

select
    episodes.episode_id,
    episodes.instruction,
    episodes.task,
    coalesce(episodes.outcome, 'unknown') as outcome,
    episodes.failure_kind,
    episodes.failure_family,
    episodes.target,
    episodes.scenario,
    episodes.n_frames,
    episodes.n_keyframes,
    lift.lift,
    lift.mass_share,
    ratio.ratio_of_means
from marts.episodes as episodes
left join lift using (episode_id)
left join ratio using (episode_id)
where episodes.run_id = getvariable('run_id')
order by episodes.outcome desc, episodes.episode_id asc
