-- Is it the object or the middle of the picture? The target's lift in its own mask, in masks of other episodes, and of
-- the distractors in the same frames; layer by layer, the words of the instruction.
-- For example, of the demo: camera base, layer 0, target_lift 7.629, lift_in_masks_of_other_episodes 1.095,
-- distractor_lift 0.918, n_episodes 52 (1 of 16 rows).
select
    run_id,
    camera,
    layer,
    max(mean_lift) filter (where role = 'target' and against = 'own') as target_lift,
    max(mean_lift) filter (where role = 'target' and against = 'other_episode') as lift_in_masks_of_other_episodes,
    max(mean_lift) filter (where role = 'distractor' and against = 'own') as distractor_lift,
    max(n_episodes) as n_episodes
from marts.object_attention_by_layer
where
    pass = 'prefix'
    and query = 'instruction'
    and rows = 'mean'
    and outcome = 'all'
group by all
order by all
