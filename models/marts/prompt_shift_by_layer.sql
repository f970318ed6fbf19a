{%- set measures = [
    'mean_diff', 'abs_mean_diff', 'max_increase', 'max_decrease', 'l2_distance', 'correlation', 'shift_magnitude',
    'centroid_shift_px', 'l2_unit', 'total_variation', 'jsd', 'mass_gain_named',
] -%}

with

episodes as (

    -- A prompt that names the baseline's own object asks for nothing else: no counterfactual, left out.
    select * from {{ ref('prompt_shift_by_episode') }}
    where
        condition_kind = 'paraphrase'
        or not is_same_object

),

outcomes as (

    select * from {{ ref('int_episodes_grouped_by_outcome') }}

),

averaged_to_layers as (

    select
        episodes.run_id,
        outcomes.outcome,
        episodes.condition_id,
        episodes.condition_kind,
        episodes.pass,
        episodes.denoise_step,
        episodes.layer,
        episodes.query,
        episodes.rows,
        episodes.camera,
        episodes.is_last_prefix_layer,
        count(*) as n_episodes,
        {% for measure in measures -%}
            avg(episodes.{{ measure }}) as mean_{{ measure }},
            stddev_samp(episodes.{{ measure }}) as std_{{ measure }}{{ ',' if not loop.last }}
        {% endfor -%}
    from episodes
    inner join outcomes
        on
            episodes.run_id = outcomes.run_id
            and episodes.episode_id = outcomes.episode_id
    group by all

)

select * from averaged_to_layers
