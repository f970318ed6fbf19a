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

averaged_to_layers as (

    select
        inferences.run_id,
        inferences.inference_id,
        inferences.episode_id,
        inferences.frame_index,
        inferences.condition_id,
        attention_masses.denoise_step,
        attention_masses.layer,
        any_value(regions.n_visual_tokens) as n_visual_tokens,
        any_value(regions.n_text_tokens) as n_text_tokens,
        any_value(regions.n_action_tokens) as n_action_tokens,
        any_value(regions.n_tokens) as n_tokens,
        {% for modality in modalities -%}
            avg(list_dot_product(attention_masses.masses, regions.{{ modality }}_regions))
                filter (where queries.name = 'action') as {{ modality }}_mass,
        {% endfor -%}
        avg(list_dot_product(attention_masses.masses, regions.letterbox_regions))
            filter (where queries.name = 'action') as letterbox_mass,
        avg(list_dot_product(attention_masses.masses, regions.visual_regions))
            filter (where queries.name = 'action:0') as visual_mass_seed,
        avg(list_dot_product(attention_masses.masses, regions.text_regions_seed))
            filter (where queries.name = 'action:0') as text_mass_seed
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
    where
        attention_masses.pass = 'suffix'
        and attention_masses.softmax = 'self'
        and queries.name in ('action', 'action:0')
    group by all

)

select * from averaged_to_layers
where visual_mass is not null
