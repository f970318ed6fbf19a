-- Share of a camera's attention on each role's objects by tenths of the episode: mean over a role's objects in a frame,
-- over the frames of a tenth, then over episodes.
with by_frame as (
    select
        frame_metrics.episode_id,
        frame_metrics.frame_index,
        frame_metrics.pass,
        frame_metrics.denoise_step,
        frame_metrics.layer,
        frame_metrics.query,
        frame_metrics.camera,
        frame_metrics.role,
        least(9, 10 * frame_metrics.frame_index // episodes.n_frames)::integer as tenth,
        avg(frame_metrics.mass_share) as mass_share
    from marts.frame_metrics as frame_metrics
    inner join marts.episodes as episodes
        on
            frame_metrics.run_id = episodes.run_id
            and frame_metrics.episode_id = episodes.episode_id
    where
        frame_metrics.run_id = getvariable('run_id')
        and frame_metrics.role is not null
        and frame_metrics.mass_share is not null
        and frame_metrics.query in ('instruction', 'action')
        and episodes.n_frames > 0
    group by all
),

by_episode as (
    select
        episode_id,
        pass,
        denoise_step,
        layer,
        query,
        camera,
        role,
        tenth,
        avg(mass_share) as mass_share
    from by_frame
    group by all
)

select
    pass,
    denoise_step,
    layer,
    query,
    camera,
    role,
    tenth,
    count(*) as n_episodes,
    round(avg(mass_share), 9) as mean_mass_share, -- the order of a sum is not fixed, what a page says is
    round(stddev_samp(mass_share), 9) as std_mass_share
from by_episode
group by all
order by pass, denoise_step, query, camera, role, layer, tenth
