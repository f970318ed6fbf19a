{{ config(materialized='incremental') }}

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

    select * from {{ ref('stg_raw__regions') }}

),

word_masses as (

    select
        inferences.run_id,
        inferences.episode_id,
        inferences.frame_index,
        inferences.layout_id,
        attention_masses.layer,
        {{ is_last_prefix_layer('attention_masses.pass', 'attention_masses.layer', 'inferences.n_layers') }}
            as is_last_prefix_layer,
        queries.word_index,
        substr(queries.name, length('word:') + 1) as word,
        unnest(attention_masses.masses) as mass,
        generate_subscripts(attention_masses.masses, 1) - 1 as region_index
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
    where
        inferences.is_baseline
        and attention_masses.pass = 'prefix'
        and attention_masses.softmax = 'self'
        and starts_with(queries.name, 'word:')

),

averaged as (

    -- Frames may differ in layout, never in heads or in the pieces of a word: the plain mean weighs frames alike.
    select
        word_masses.run_id,
        word_masses.episode_id,
        word_masses.layer,
        word_masses.word_index,
        word_masses.word,
        regions.name as region,
        regions.kind as region_kind,
        count(distinct word_masses.frame_index) as n_frames,
        avg(word_masses.mass) as mass,
        word_masses.is_last_prefix_layer
    from word_masses
    inner join regions
        on
            word_masses.run_id = regions.run_id
            and word_masses.layout_id = regions.layout_id
            and word_masses.region_index = regions.region_index
    where
        regions.pass = 'prefix'
        and regions.is_partition
    group by all

)

select * from averaged
