-- Visual, linguistic, state, action and other are all there is.
select
    steps.run_id,
    steps.episode_id,
    steps.frame_index,
    steps.layer,
    steps.total_mass
from {{ ref('modality_balance_by_step') }} as steps
inner join {{ ref('stg_raw__runs') }} as runs
    on steps.run_id = runs.run_id
where not coalesce(abs(steps.total_mass - 1) <= case when runs.dtype = 'float32' then 1e-4 else 2e-3 end, false)
