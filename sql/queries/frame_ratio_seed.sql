-- Cosmos, the seed's visual to linguistic ratio between latent frames: policy.options names the three frames, and
-- region k of the pass 'denoise' is frame k. Frame 0, which the seed takes for text, is blank: the text is in the
-- pass 'cross'. Masses are sums over the query frame's rows of the mean over heads; a step is a call of the network.
-- A policy without latent frames, such as the demo's, has no row.
with

actions as (

    select
        run_id,
        layout_id,
        min(region_index) as action_frame
    from raw.regions
    where pass = 'denoise' and kind = 'action'
    group by all

),

frames as (

    select
        regions.run_id,
        regions.layout_id,
        regions.region_index as frame,
        replace(regions.name, 'image:', '') as own_name,
        regions.kind = 'visual' and regions.region_index < actions.action_frame as is_current_picture
    from raw.regions
    inner join actions
        on
            regions.run_id = actions.run_id
            and regions.layout_id = actions.layout_id
    where regions.pass = 'denoise'

),

names as (

    select
        run_id,
        layout_id,
        own_name as name,
        frame
    from frames
    union all
    select
        run_id,
        layout_id,
        'frame' || frame as name,
        frame
    from frames
    union all
    select
        run_id,
        layout_id,
        'curr_last' as name,
        max(frame) filter (where is_current_picture) as frame
    from frames
    group by all

),

asked as (

    select
        run_id,
        coalesce(config ->> '$.policy.options.query_frame', 'action') as query_name,
        coalesce(config ->> '$.policy.options.visual_frame', 'curr_last') as visual_name,
        coalesce(config ->> '$.policy.options.text_frame', 'frame0') as text_name
    from raw.runs

),

chosen as (

    select
        asked.run_id,
        queries.layout_id,
        queries.query_index,
        queries.n_rows,
        visual.frame as visual_frame,
        text.frame as text_frame
    from asked
    inner join names as query
        on
            asked.run_id = query.run_id
            and asked.query_name = query.name
    inner join raw.queries
        on
            query.run_id = queries.run_id
            and query.layout_id = queries.layout_id
            and queries.pass = 'denoise'
    inner join frames as query_frame
        on
            query.run_id = query_frame.run_id
            and query.layout_id = query_frame.layout_id
            and query.frame = query_frame.frame
    inner join names as visual
        on
            query.run_id = visual.run_id
            and query.layout_id = visual.layout_id
            and asked.visual_name = visual.name
    inner join names as text
        on
            query.run_id = text.run_id
            and query.layout_id = text.layout_id
            and asked.text_name = text.name
    where queries.name = if(query_frame.own_name = 'action', 'action', 'frame:' || query.frame)

),

masses as (

    select
        attention_masses.run_id,
        attention_masses.inference_id,
        attention_masses.denoise_step,
        attention_masses.layer,
        any_value(chosen.n_rows) * avg(attention_masses.masses[chosen.visual_frame + 1]::double) as visual_mass,
        any_value(chosen.n_rows) * avg(attention_masses.masses[chosen.text_frame + 1]::double) as text_mass
    from raw.attention_masses
    inner join raw.inferences
        on
            attention_masses.run_id = inferences.run_id
            and attention_masses.inference_id = inferences.inference_id
    inner join chosen
        on
            inferences.run_id = chosen.run_id
            and inferences.layout_id = chosen.layout_id
            and attention_masses.query_index = chosen.query_index
    where attention_masses.pass = 'denoise'
    group by all

)

select
    run_id,
    inference_id,
    denoise_step,
    layer,
    visual_mass,
    text_mass,
    if(text_mass < 1e-8, null, visual_mass / text_mass) as visual_linguistic_ratio_seed,
    visual_mass / nullif(visual_mass + text_mass, 0) as visual_fraction_seed,
    text_mass / nullif(visual_mass + text_mass, 0) as linguistic_fraction_seed
from masses
order by all
