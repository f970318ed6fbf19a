-- Every inference has its run, episode, frame, condition and layout.
select
    inferences.run_id,
    inferences.inference_id,
    runs.run_id is not null as has_run,
    episodes.run_id is not null as has_episode,
    frames.run_id is not null as has_frame,
    conditions.run_id is not null as has_condition,
    layouts.run_id is not null as has_layout
from {{ ref('stg_raw__inferences') }} as inferences
left join {{ ref('stg_raw__runs') }} as runs
    on inferences.run_id = runs.run_id
left join {{ ref('stg_raw__episodes') }} as episodes
    on
        inferences.run_id = episodes.run_id
        and inferences.episode_id = episodes.episode_id
left join {{ ref('stg_raw__frames') }} as frames
    on
        inferences.run_id = frames.run_id
        and inferences.episode_id = frames.episode_id
        and inferences.frame_index = frames.frame_index
left join {{ ref('stg_raw__conditions') }} as conditions
    on
        inferences.run_id = conditions.run_id
        and inferences.condition_id = conditions.condition_id
left join {{ ref('stg_raw__layouts') }} as layouts
    on
        inferences.run_id = layouts.run_id
        and inferences.layout_id = layouts.layout_id
where
    runs.run_id is null
    or episodes.run_id is null
    or frames.run_id is null
    or conditions.run_id is null
    or (layouts.run_id is null and inferences.status = 'ok')
