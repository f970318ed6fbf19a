-- How many heads have which role: trackers of the target or the gripper, readers of the instruction, sinks, positional.
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
