select
    frame_index,
    denoise_step,
    layer,
    ratio,
    log_ratio
from marts.modality_balance_by_step
where run_id = getvariable('run_id') and episode_id = getvariable('episode_id') and condition_id = 'baseline:baseline'
order by denoise_step, layer, frame_index
