{%- set measures = ['correlation', 'other_frame_correlation', 'correlation_gain'] -%}

with

episodes as (

    select * from {{ ref('int_camera_links_averaged_to_episodes') }}

),

outcomes as (

    select * from {{ ref('int_episodes_grouped_by_outcome') }}

),

intervals as (

    select * from {{ ref('bootstrap_intervals') }}
    where topic = 'camera agreement'

),

averaged as (

    select
        episodes.run_id,
        outcomes.outcome,
        episodes.pass,
        episodes.denoise_step,
        episodes.layer,
        episodes.query,
        episodes.camera,
        episodes.other_camera,
        episodes.is_last_prefix_layer,
        count(episodes.correlation) as n_episodes,
        count(*) - count(episodes.correlation) as n_episodes_undefined,
        sum(episodes.n_frames - episodes.n_undefined)::bigint as n_frames,
        sum(episodes.n_undefined)::bigint as n_undefined,
        {% for measure in measures -%}
            avg(episodes.{{ measure }}) as mean_{{ measure }},
        {% endfor -%}
        stddev_samp(episodes.correlation) as std_correlation,
        stddev_samp(episodes.correlation_gain) as std_correlation_gain,
        avg(episodes.mass_share) as mean_mass_share,
        avg(episodes.other_mass_share) as mean_other_mass_share,
        avg(episodes.n_patches) as mean_n_patches,
        min(episodes.reason) as reason
    from episodes
    inner join outcomes
        on
            episodes.run_id = outcomes.run_id
            and episodes.episode_id = outcomes.episode_id
    group by all

),

joined as (

    select
        averaged.*,
        of_correlation.bca_low as correlation_low,
        of_correlation.bca_high as correlation_high,
        of_gain.bca_low as correlation_gain_low,
        of_gain.bca_high as correlation_gain_high
    from averaged
    {% for name, metric in [('of_correlation', 'correlation'), ('of_gain', 'correlation_gain')] -%}
    left join intervals as {{ name }}
        on
            {{ name }}.metric = '{{ metric }}'
            and averaged.run_id = {{ name }}.run_id
            and averaged.outcome = {{ name }}.outcome
            and averaged.pass = {{ name }}.pass
            and averaged.denoise_step = {{ name }}.denoise_step
            and averaged.layer = {{ name }}.layer
            and averaged.query = {{ name }}.query
            and averaged.camera = {{ name }}.camera
            and averaged.other_camera = {{ name }}.other_camera
    {% endfor %}
)

select * from joined
