{%- set modalities = ['visual', 'linguistic', 'state', 'action', 'other'] -%}

with

episodes as (

    select * from {{ ref('int_model_balance_averaged_to_episodes') }}

),

intervals as (

    select * from {{ ref('int_model_balance_bootstrapped') }}

),

averaged as (

    select
        model_family,
        checkpoint_hash,
        denoise_step,
        layer,
        min(checkpoint) as checkpoint,
        max(n_layers) as n_layers,
        max(n_runs)::bigint as n_runs,
        count(*) as n_episodes,
        sum(n_undefined)::bigint as n_undefined,
        {% for modality in modalities + ['letterbox'] -%}
            avg({{ modality }}_mass) as mean_{{ modality }}_mass,
        {% endfor -%}
        avg(density_lift_visual) as mean_density_lift_visual,
        avg(density_lift_linguistic) as mean_density_lift_linguistic,
        avg(mean_ratio_seed) as mean_ratio_seed,
        stddev_pop(mean_ratio_seed) as std_ratio_seed,
        avg(log_ratio) as log_ratio,
        stddev_samp(log_ratio) as std_log_ratio
    from episodes
    group by all

),

joined as (

    select
        averaged.* exclude (n_layers),
        {{ mass_ratio('averaged.mean_visual_mass', 'averaged.mean_linguistic_mass') }} as ratio_of_means,
        intervals.bca_low as low,
        intervals.bca_high as high,
        {{ modality_band('intervals.bca_low', 'intervals.bca_high') }} as band,
        {{ depth_third('averaged.layer', 'averaged.n_layers') }} as depth_third,
        intervals.reason
    from averaged
    left join intervals
        on
            averaged.model_family = intervals.model_family
            and averaged.checkpoint_hash is not distinct from intervals.checkpoint_hash
            and averaged.denoise_step = intervals.denoise_step
            and averaged.layer = intervals.layer

)

select * from joined
