-- A hash of the rows that an episode's page reads, by mart: the sum of the rows' hashes hangs on no order.
with hashed as (
    select
        episode_id,
        'frames' as mart,
        hash(frames) as fingerprint
    from marts.frames
    where run_id = getvariable('run_id')
    union all
    select
        episode_id,
        'frame_metrics' as mart,
        hash(frame_metrics) as fingerprint
    from marts.frame_metrics
    where run_id = getvariable('run_id')
    union all
    select
        episode_id,
        'objects' as mart,
        hash(objects) as fingerprint
    from marts.objects
    where run_id = getvariable('run_id')
    union all
    select
        episode_id,
        'modality_balance_by_step' as mart,
        hash(modality_balance_by_step) as fingerprint
    from marts.modality_balance_by_step
    where run_id = getvariable('run_id')
    union all
    select
        episode_id,
        'frame_gallery' as mart,
        hash(frame_gallery) as fingerprint
    from marts.frame_gallery
    where run_id = getvariable('run_id') and head = -1 and query not like '%:%'
)

select
    episode_id,
    mart,
    count(*) as n_rows,
    sum(fingerprint)::hugeint as fingerprint
from hashed
group by episode_id, mart
