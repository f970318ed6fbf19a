{%- set links = [
    'flow', 'rollout_mass', 'rollout_correlation', 'stability_l2', 'stability_tv', 'stability_seed',
] -%}

with

layer_links as (

    select * from {{ ref('stg_raw__layer_links') }}

),

inferences as (

    select * from {{ ref('int_inferences_selected') }}

),

queries as (

    select * from {{ ref('stg_raw__queries') }}

),

outcomes as (

    select * from {{ ref('int_episodes_grouped_by_outcome') }}

),

episodes as (

    -- Stability is the inverse of an episode's mean step, as the seed has it, and undefined below two keyframes.
    select
        inferences.run_id,
        inferences.episode_id,
        layer_links.pass,
        layer_links.denoise_step,
        layer_links.layer,
        queries.name as query,
        layer_links.camera,
        {{ is_last_prefix_layer('layer_links.pass', 'layer_links.layer', 'inferences.n_layers') }}
            as is_last_prefix_layer,
        avg(layer_links.flow) as flow,
        avg(layer_links.rollout_mass) as rollout_mass,
        avg(layer_links.rollout_correlation) as rollout_correlation,
        count(layer_links.stability_l2) as n_steps,
        avg(layer_links.stability_l2) as stability_l2,
        avg(layer_links.stability_tv) as stability_tv,
        1 / (avg(layer_links.stability_l2_raw) + 1e-8) as stability_seed
    from layer_links
    inner join inferences
        on
            layer_links.run_id = inferences.run_id
            and layer_links.inference_id = inferences.inference_id
    inner join queries
        on
            inferences.run_id = queries.run_id
            and inferences.layout_id = queries.layout_id
            and layer_links.pass = queries.pass
            and layer_links.query_index = queries.query_index
    where
        inferences.is_baseline
        and queries.kind = 'group'
    group by all

),

averaged_over_episodes as (

    select
        episodes.run_id,
        outcomes.outcome,
        episodes.pass,
        episodes.denoise_step,
        episodes.layer,
        episodes.query,
        episodes.camera,
        episodes.is_last_prefix_layer,
        count(*) as n_episodes,
        sum(episodes.n_steps)::bigint as n_steps,
        1 as lag_keyframes,
        {% for link in links -%}
            avg(episodes.{{ link }}) as mean_{{ link }},
            stddev_samp(episodes.{{ link }}) as std_{{ link }}{{ ',' if not loop.last }}
        {% endfor -%}
    from episodes
    inner join outcomes
        on
            episodes.run_id = outcomes.run_id
            and episodes.episode_id = outcomes.episode_id
    group by all

)

select * from averaged_over_episodes
