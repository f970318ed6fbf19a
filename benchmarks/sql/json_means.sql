-- What the script that reads JSON works out, from raw rows: mean mass of each region by outcome, layer, head and query.
select
    episodes.outcome,
    masses.layer,
    masses.head,
    masses.pass,
    masses.denoise_step,
    masses.query_index,
    avg(masses.masses[1]) as first_region,
    avg(masses.masses[2]) as second_region,
    avg(masses.masses[3]) as third_region,
    avg(masses.masses[4]) as fourth_region,
    avg(masses.masses[5]) as fifth_region,
    avg(masses.masses[6]) as sixth_region,
    avg(masses.masses[7]) as seventh_region,
    avg(masses.masses[8]) as eighth_region,
    avg(masses.masses[9]) as ninth_region
from raw.attention_masses as masses
inner join raw.inferences as inferences
    on
        masses.run_id = inferences.run_id
        and masses.inference_id = inferences.inference_id
inner join raw.episodes as episodes
    on
        inferences.run_id = episodes.run_id
        and inferences.episode_id = episodes.episode_id
group by all
