{%- set modalities = ['visual', 'linguistic', 'state', 'action', 'other'] -%}

with

steps as (

    select * from {{ ref('modality_balance_by_step') }}
    where condition_id = 'baseline:baseline'

),

episodes as (

    select * from {{ ref('stg_raw__episodes') }}

),

averaged_to_episodes as (

    select
        steps.run_id,
        steps.episode_id,
        episodes.outcome,
        episodes.task,
        episodes.suite,
        steps.denoise_step,
        steps.layer,
        count(*) as n_frames,
        count(*) filter (where steps.ratio is null) as n_undefined,
        {% for modality in modalities -%}
            avg(steps.{{ modality }}_mass) as {{ modality }}_mass,
        {% endfor -%}
        avg(steps.letterbox_mass) as letterbox_mass,
        avg(steps.cross_text_mass) as cross_text_mass,
        avg(steps.cross_pad_mass) as cross_pad_mass,
        avg(steps.density_lift_visual) as density_lift_visual,
        avg(steps.density_lift_linguistic) as density_lift_linguistic,
        exp(avg(steps.log_ratio)) as geometric_mean_ratio,
        avg(steps.ratio_seed) as mean_ratio_seed,
        stddev_pop(steps.ratio_seed) as std_ratio_seed,
        median(steps.ratio_seed) as median_ratio_seed,
        min(steps.ratio_seed) as min_ratio_seed,
        max(steps.ratio_seed) as max_ratio_seed
    from steps
    inner join episodes
        on
            steps.run_id = episodes.run_id
            and steps.episode_id = episodes.episode_id
    group by all

),

balanced as (

    select
        *,
        {{ mass_ratio('visual_mass', 'visual_mass + linguistic_mass') }} as visual_fraction,
        {{ mass_ratio('linguistic_mass', 'visual_mass + linguistic_mass') }} as linguistic_fraction,
        {{ mass_ratio('visual_mass', 'linguistic_mass') }} as ratio_of_means,
        {{ log_mass_ratio('visual_mass', 'linguistic_mass') }} as log_ratio
    from averaged_to_episodes

)

select * from balanced
