-- What attention spread evenly over the keys would give: image patches against text tokens (padding is in neither).
with by_episode as (
    select
        episode_id,
        denoise_step,
        avg(n_visual_tokens) as n_visual_tokens,
        avg(n_text_tokens) as n_text_tokens
    from marts.modality_balance_by_step
    where
        run_id = getvariable('run_id')
        and condition_id = 'baseline:baseline'
        and layer = -1
    group by all
)

select
    denoise_step,
    count(*) as n_episodes,
    min(n_visual_tokens)::bigint as fewest_visual,
    max(n_visual_tokens)::bigint as most_visual,
    min(n_text_tokens)::bigint as fewest_text,
    max(n_text_tokens)::bigint as most_text,
    round(exp(avg(ln(n_visual_tokens / n_text_tokens))), 6) as ratio -- geometric, as the ratios beside it
from by_episode
where n_visual_tokens > 0 and n_text_tokens > 0
group by denoise_step
order by denoise_step
