{%- set measures = [
    'entropy', 'entropy_norm', 'gini', 'effective_rank', 'participation', 'top10_share', 'variance', 'focus_seed',
] -%}

{{ config(materialized='incremental') }}

with

head_focus as (

    select * from {{ changed_rows('head_focus') }}

),

inferences as (

    select * from {{ ref('int_inferences_changed') }}
    where is_baseline

),

queries as (

    select * from {{ ref('stg_raw__queries') }}

),

averaged_to_episodes as (

    select
        inferences.run_id,
        inferences.episode_id,
        head_focus.pass,
        head_focus.denoise_step,
        head_focus.layer,
        head_focus.head,
        queries.name as query,
        head_focus.camera,
        count(head_focus.entropy) as n_frames,
        {% for measure in measures -%}
            avg(head_focus.{{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
        {% endfor -%}
    from head_focus
    inner join inferences
        on
            head_focus.run_id = inferences.run_id
            and head_focus.inference_id = inferences.inference_id
    inner join queries
        on
            inferences.run_id = queries.run_id
            and inferences.layout_id = queries.layout_id
            and head_focus.pass = queries.pass
            and head_focus.query_index = queries.query_index
    group by all

)

select * from averaged_to_episodes
