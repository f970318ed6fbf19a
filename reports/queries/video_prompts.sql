-- What the policy was asked at each keyframe of an episode, and the actions it gave.
select
    frame_index,
    condition_id,
    prompt,
    actions
from marts.frame_inferences
where run_id = getvariable('run_id') and episode_id = getvariable('episode_id')
order by frame_index, condition_id
