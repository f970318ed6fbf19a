-- A hash of the rows that a video beside an episode's page reads, as in episode_fingerprints.
with hashed as (
    select
        episode_id,
        'all maps' as mart,
        hash(frame_gallery) as fingerprint
    from marts.frame_gallery
    where run_id = getvariable('run_id')
    union all
    select
        episode_id,
        'frame_inferences' as mart,
        hash(frame_inferences) as fingerprint
    from marts.frame_inferences
    where run_id = getvariable('run_id')
)

select
    episode_id,
    mart,
    count(*) as n_rows,
    sum(fingerprint)::hugeint as fingerprint
from hashed
group by episode_id, mart
