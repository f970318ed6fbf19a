-- How much of a measure's variance within layers lies between heads; layer -1 is all layers together.
select
    measure,
    pass,
    denoise_step,
    query,
    camera,
    layer,
    share_between_heads,
    low,
    high,
    p,
    p_holm,
    family_size,
    split_half_correlation,
    rank_correlation,
    n_episodes,
    n_heads,
    is_small_n,
    reason
from marts.head_specialisation
where run_id = getvariable('run_id')
order by measure desc, pass asc, denoise_step asc, query asc, camera asc, layer asc
