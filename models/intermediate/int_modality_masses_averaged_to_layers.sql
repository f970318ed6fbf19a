{%- set modalities = ['visual', 'linguistic', 'state', 'action', 'other'] -%}

with

attention_masses as (

    select * from {{ changed_rows('attention_masses') }}

),

inferences as (

    select * from {{ ref('int_inferences_changed') }}

),

queries as (

    select * from {{ ref('stg_raw__queries') }}

),

regions as (

    select * from {{ ref('int_regions_listed') }}

),

latent_frames as (

    select * from {{ ref('int_latent_frames_chosen') }}

),

averaged_to_layers as (

    -- Pi0 reads pictures and words in one softmax. Cosmos reads latent frames in one (pass denoise), where no key is a
    -- word, and the words in another (pass cross); the seed's masses are there sums over the query frame's rows.
    select
        inferences.run_id,
        inferences.inference_id,
        inferences.episode_id,
        inferences.frame_index,
        inferences.condition_id,
        attention_masses.denoise_step,
        attention_masses.layer,
        {% for kind in ['visual', 'text', 'action'] -%}
            any_value(regions.n_{{ kind }}_tokens) filter (where attention_masses.softmax = 'self')
                as n_{{ kind }}_tokens,
        {% endfor -%}
        any_value(regions.n_tokens) filter (where attention_masses.softmax = 'self') as n_tokens,
        {% for modality in modalities -%}
            avg(list_dot_product(attention_masses.masses, regions.{{ modality }}_regions)) filter (
                where queries.name = 'action'
                and attention_masses.softmax = 'self'
                {{ "and attention_masses.pass = 'suffix'" if modality == 'linguistic' }}
            ) as {{ modality }}_mass,
        {% endfor -%}
        avg(list_dot_product(attention_masses.masses, regions.letterbox_regions))
            filter (where queries.name = 'action' and attention_masses.softmax = 'self') as letterbox_mass,
        avg(list_dot_product(attention_masses.masses, regions.linguistic_regions))
            filter (where queries.name = 'action' and attention_masses.softmax = 'cross') as cross_text_mass,
        avg(list_dot_product(attention_masses.masses, regions.other_regions))
            filter (where queries.name = 'action' and attention_masses.softmax = 'cross') as cross_pad_mass,
        coalesce(
            avg(list_dot_product(attention_masses.masses, regions.visual_regions))
                filter (where queries.name = 'action:0'),
            avg(latent_frames.n_rows * attention_masses.masses[latent_frames.visual_frame + 1]::double)
        ) as visual_mass_seed,
        coalesce(
            avg(list_dot_product(attention_masses.masses, regions.text_regions_seed))
                filter (where queries.name = 'action:0'),
            avg(latent_frames.n_rows * attention_masses.masses[latent_frames.text_frame + 1]::double)
        ) as text_mass_seed
    from attention_masses
    inner join inferences
        on
            attention_masses.run_id = inferences.run_id
            and attention_masses.inference_id = inferences.inference_id
    inner join queries
        on
            inferences.run_id = queries.run_id
            and inferences.layout_id = queries.layout_id
            and attention_masses.pass = queries.pass
            and attention_masses.query_index = queries.query_index
    inner join regions
        on
            inferences.run_id = regions.run_id
            and inferences.layout_id = regions.layout_id
            and attention_masses.pass = regions.pass
    left join latent_frames
        on
            inferences.run_id = latent_frames.run_id
            and inferences.layout_id = latent_frames.layout_id
            and attention_masses.query_index = latent_frames.query_index
            and attention_masses.pass = 'denoise'
    where
        (attention_masses.pass = 'suffix' and queries.name in ('action', 'action:0'))
        or (attention_masses.pass = 'denoise' and (queries.name = 'action' or latent_frames.query_index is not null))
        or (attention_masses.pass = 'cross' and queries.name = 'action')
    group by all

)

select * from averaged_to_layers
where visual_mass is not null
