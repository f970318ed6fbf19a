-- Share of the action tokens' attention on the letterbox's bars, over layers and captured denoising steps.
select
    round(avg(letterbox_mass), 6) as mean_mass, -- the order of a sum is not fixed, what a page says is
    round(avg(visual_mass), 6) as visual_mass,
    count(distinct episode_id) as n_episodes
from marts.modality_balance_by_episode
where run_id = getvariable('run_id') and layer = -1
