-- Does attention on the target hang on the sink: how does it change when that token is masked and rows renormalise?
-- For example, of the demo: pass suffix, denoise_step 0, layer 0, camera wrist, sink_share 0.0558, mass_share 0.0549,
-- mass_share_sink_masked 0.05524, difference 0.000343, n_episodes 52 (1 of 46 rows).
select
    run_id,
    pass,
    denoise_step,
    layer,
    camera,
    round(mean_sink_share, 4) as sink_share,
    round(mean_mass_share, 5) as mass_share,
    round(mean_mass_share_sink_masked, 5) as mass_share_sink_masked,
    round(mean_difference, 6) as difference,
    n_episodes
from marts.object_attention_sink_masked
where
    outcome = 'all'
    and role = 'target'
    and not is_last_prefix_layer
order by run_id asc, abs(mean_difference) desc
