-- How much attention goes to padding, letterbox and BOS, which show nothing, by layer; and the head that spends most.
-- For example, of the demo: pass prefix, denoise_step -1, layer 0, mean_share_on_nothing 0.33, worst_head 3,
-- worst_heads_share 0.366, n_sink_heads 0 (1 of 24 rows).
select
    run_id,
    pass,
    denoise_step,
    layer,
    round(avg(mean_value), 3) as mean_share_on_nothing,
    max_by(head, mean_value) as worst_head,
    round(max(mean_value), 3) as worst_heads_share,
    count(*) filter (where has_role) as n_sink_heads
from marts.head_roles
where head_role = 'sink'
group by all
order by all
