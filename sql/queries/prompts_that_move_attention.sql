-- Changed prompts against paraphrases: how far the words' maps and the actions move, mean over episodes.
-- For example, of the demo: condition_id paraphrase:0, condition_kind paraphrase, camera base, layer 0, n_episodes 44,
-- mean_jsd 0.004378, mean_mass_gain_named -0.0289, mean_mse_standardised 0.02057 (1 of 84 rows).
select
    shifts.run_id,
    shifts.condition_id,
    shifts.condition_kind,
    shifts.camera,
    shifts.layer,
    shifts.n_episodes,
    shifts.mean_jsd,
    shifts.mean_mass_gain_named,
    actions.mean_mse_standardised
from marts.prompt_shift_by_layer as shifts
left join marts.action_shift_by_condition as actions
    on
        shifts.run_id = actions.run_id
        and shifts.condition_id = actions.condition_id
        and shifts.outcome = actions.outcome
where
    shifts.pass = 'prefix'
    and shifts.query = 'instruction'
    and shifts.rows = 'mean'
    and shifts.outcome = 'all'
    and not shifts.is_last_prefix_layer
order by all
