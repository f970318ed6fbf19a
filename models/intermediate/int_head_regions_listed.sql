{{ config(materialized='incremental') }}

with

attention_masses as (

    select * from {{ changed_rows('attention_masses') }}

),

inferences as (

    select * from {{ ref('int_inferences_changed') }}
    where condition_kind in ('baseline', 'prompt', 'paraphrase')

),

queries as (

    select * from {{ ref('stg_raw__queries') }}
    where name in ('instruction', 'action')

),

tokens as (

    select * from {{ ref('stg_raw__tokens') }}

),

regions as (

    select * from {{ ref('int_regions_listed') }}

),

measured as (

    select
        inferences.run_id,
        inferences.episode_id,
        inferences.condition_id,
        attention_masses.pass,
        attention_masses.denoise_step,
        attention_masses.layer,
        attention_masses.head,
        queries.name as query,
        list_dot_product(attention_masses.masses, regions.instruction_regions) as instruction_mass,
        list_dot_product(attention_masses.masses, regions.empty_regions) as empty_mass,
        attention_masses.top_share,
        attention_masses.sink_share,
        case
            when tokens.role = 'patch' then concat_ws(' ', tokens.camera, tokens.row, tokens.col)
        end as top_patch
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
    left join tokens
        on
            inferences.run_id = tokens.run_id
            and inferences.layout_id = tokens.layout_id
            and attention_masses.pass = tokens.pass
            and attention_masses.top_key = tokens.token_index
    where attention_masses.softmax = 'self'

),

listed as (

    -- The heaviest patch of each keyframe, null where the heaviest key is none; sorted, for their order says nothing.
    select
        run_id,
        episode_id,
        condition_id,
        pass,
        denoise_step,
        layer,
        head,
        query,
        count(*) as n_frames,
        avg(instruction_mass) as instruction_mass,
        avg(empty_mass) as empty_mass,
        avg(top_share) as top_share,
        avg(sink_share) as sink_share,
        list_sort(list(top_patch)) as top_patches
    from measured
    group by all

)

select * from listed
