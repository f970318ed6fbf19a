{%- set sample_metrics = [
    'mass_share', 'lift', 'log_lift', 'precision', 'recall', 'dice', 'iou_p75', 'iou_p90', 'ap', 'pointing_hit',
] -%}
{%- set seed_metrics = [
    'overlap_ratio_seed', 'attention_concentration_seed', 'iou_seed', 'mean_attn_inside_seed', 'mean_attn_outside_seed',
] -%}

with

episodes as (

    select * from {{ ref('object_attention_by_episode') }}

),

outcomes as (

    select * from {{ ref('int_episodes_grouped_by_outcome') }}

),

averaged_to_layers as (

    select
        episodes.run_id,
        outcomes.outcome,
        episodes.pass,
        episodes.denoise_step,
        episodes.layer,
        episodes.query,
        episodes.rows,
        episodes.camera,
        episodes.role,
        episodes.against,
        episodes.is_last_prefix_layer,
        count(episodes.mass_share) as n_episodes,
        avg(episodes.area_share) as mean_area_share,
        {% for metric in sample_metrics -%}
            avg(episodes.{{ metric }}) as mean_{{ metric }},
            stddev_samp(episodes.{{ metric }}) as std_{{ metric }},
        {% endfor -%}
        {% for metric in seed_metrics -%}
            avg(episodes.{{ metric }}) as mean_{{ metric }},
            stddev_pop(episodes.{{ metric }}) as std_{{ metric }}{{ ',' if not loop.last }}
        {% endfor -%}
    from episodes
    inner join outcomes
        on
            episodes.run_id = outcomes.run_id
            and episodes.episode_id = outcomes.episode_id
    group by all

),

labelled as (

    select
        *,
        case
            when mean_overlap_ratio_seed > 0.5 then 'strong'
            when mean_overlap_ratio_seed < 0.2 then 'diffuse'
        end as label_overlap_seed,
        case
            when mean_attention_concentration_seed > 2 then 'strong'
            when mean_attention_concentration_seed between 0.9 and 1.1 then 'uniform'
            when mean_attention_concentration_seed < 1 then 'avoids'
        end as label_concentration_seed,
        case
            when mean_iou_seed > 0.5 then 'good'
        end as label_iou_seed
    from averaged_to_layers

)

select * from labelled
