-- How many heads have which role: trackers of the target or the gripper, readers of the instruction, sinks, positional.
-- For example, of the demo: pass prefix, denoise_step -1, head_role positional, camera null, n_heads_with_role 0,
-- n_heads 32, heads null (1 of 21 rows).
select
    run_id,
    pass,
    denoise_step,
    head_role,
    camera,
    count(*) filter (where has_role) as n_heads_with_role,
    count(*) as n_heads,
    list(format('L{}.{}', layer, head) order by layer, head) filter (where has_role) as heads
from marts.head_roles
group by all
order by all
