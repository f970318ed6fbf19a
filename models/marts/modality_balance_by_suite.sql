{%- set modalities = ['visual', 'linguistic', 'state', 'action', 'other'] -%}

with

episodes as (

    select * from {{ ref('modality_balance_by_episode') }}

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

intervals as (

    select * from {{ ref('bootstrap_intervals') }}
    where topic = 'modality balance by suite'

),

averaged as (

    select
        episodes.run_id,
        episodes.denoise_step,
        episodes.layer,
        episodes.suite,
        count(*) as n_episodes,
        sum(episodes.n_undefined)::bigint as n_undefined,
        {% for modality in modalities -%}
            avg(episodes.{{ modality }}_mass) as mean_{{ modality }}_mass,
        {% endfor -%}
        avg(episodes.letterbox_mass) as mean_letterbox_mass,
        avg(episodes.density_lift_visual) as mean_density_lift_visual,
        avg(episodes.density_lift_linguistic) as mean_density_lift_linguistic,
        avg(episodes.mean_ratio_seed) as mean_ratio_seed,
        stddev_pop(episodes.mean_ratio_seed) as std_ratio_seed,
        avg(episodes.log_ratio) as log_ratio,
        stddev_samp(episodes.log_ratio) as std_log_ratio
    from episodes
    group by all

),

joined as (

    select
        averaged.*,
        {{ mass_ratio('averaged.mean_visual_mass', 'averaged.mean_linguistic_mass') }} as ratio_of_means,
        intervals.bca_low as low,
        intervals.bca_high as high,
        {{ modality_band('intervals.bca_low', 'intervals.bca_high') }} as band,
        {{ depth_third('averaged.layer', 'runs.n_layers') }} as depth_third
    from averaged
    inner join runs
        on averaged.run_id = runs.run_id
    left join intervals
        on
            averaged.run_id = intervals.run_id
            and averaged.denoise_step = intervals.denoise_step
            and averaged.layer = intervals.layer
            and averaged.suite is not distinct from intervals.suite

)

select * from joined
