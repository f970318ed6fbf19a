-- Heads ranked by how focused their image maps are (baseline, words of the instruction), straight from the raw tables.
-- For example, of the demo: camera base, layer 0, head 1, mean_entropy_norm 0.8466, mean_gini 0.3889, mean_top10_share
-- 0.3999, n_inferences 468 (1 of 64 rows).
select
    head_focus.run_id,
    head_focus.camera,
    head_focus.layer,
    head_focus.head,
    avg(head_focus.entropy_norm) as mean_entropy_norm,
    avg(head_focus.gini) as mean_gini,
    avg(head_focus.top10_share) as mean_top10_share,
    count(*) as n_inferences
from raw.head_focus
inner join raw.inferences
    on
        head_focus.run_id = inferences.run_id
        and head_focus.inference_id = inferences.inference_id
where
    head_focus.pass = 'prefix'
    and inferences.condition_id = 'baseline:baseline'
    and inferences.status = 'ok'
group by all
order by head_focus.run_id, head_focus.camera, mean_entropy_norm
