-- All rows of attention of one episode, as a script would dump them.
select
    inferences.frame_index,
    inferences.condition_id,
    masses.layer,
    masses.head,
    masses.pass,
    masses.denoise_step,
    masses.query_index,
    masses.masses
from raw.attention_masses as masses
inner join raw.inferences as inferences
    on
        masses.run_id = inferences.run_id
        and masses.inference_id = inferences.inference_id
where inferences.episode_id = $episode_id
