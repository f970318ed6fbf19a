-- Cosmos, the seed's visual to linguistic ratio between latent frames, whatever the query frame, per keyframe, step
-- and layer: policy.options names the three frames. Frame 0, which the seed takes for text, is blank: the text is read
-- by another attention, whose masses stand beside (cross_text_mass, cross_pad_mass). Masses are sums over the query
-- frame's rows of the mean over heads; a step is a call of the network.
-- The demo has no row: its policy has no latent frames.
select
    run_id,
    episode_id,
    frame_index,
    denoise_step,
    layer,
    visual_mass_seed as visual_mass,
    text_mass_seed as text_mass,
    ratio_seed as visual_linguistic_ratio_seed,
    visual_mass_seed / nullif(visual_mass_seed + text_mass_seed, 0) as visual_fraction_seed,
    text_mass_seed / nullif(visual_mass_seed + text_mass_seed, 0) as linguistic_fraction_seed,
    cross_text_mass,
    cross_pad_mass
from marts.modality_balance_by_step
where
    linguistic_mass is null
    and condition_id = 'baseline:baseline'
    and layer >= 0
order by all
