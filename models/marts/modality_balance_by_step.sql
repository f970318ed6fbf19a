{%- set modalities = ['visual', 'linguistic', 'state', 'action', 'other'] -%}

{{ config(materialized='incremental') }}

with

layer_masses as (

    select
        *,
        {{ mass_ratio('visual_mass_seed', 'text_mass_seed') }} as ratio_seed
    from {{ ref('int_modality_masses_averaged_to_layers') }}

),

layers_avg as (

    select
        run_id,
        inference_id,
        episode_id,
        frame_index,
        condition_id,
        denoise_step,
        -1 as layer,
        any_value(n_visual_tokens) as n_visual_tokens,
        any_value(n_text_tokens) as n_text_tokens,
        any_value(n_action_tokens) as n_action_tokens,
        any_value(n_tokens) as n_tokens,
        {% for modality in modalities -%}
            avg({{ modality }}_mass) as {{ modality }}_mass,
        {% endfor -%}
        avg(letterbox_mass) as letterbox_mass,
        avg(cross_text_mass) as cross_text_mass,
        avg(cross_pad_mass) as cross_pad_mass,
        avg(ratio_seed) as ratio_seed
    from layer_masses
    group by all

),

masses as (

    select * from layer_masses
    union all by name
    select * from layers_avg

),

balanced as (

    select
        run_id,
        episode_id,
        frame_index,
        condition_id,
        denoise_step,
        layer,
        {% for modality in modalities -%}
            {{ modality }}_mass,
        {% endfor -%}
        letterbox_mass,
        cross_text_mass,
        cross_pad_mass,
        visual_mass + coalesce(linguistic_mass, 0) + state_mass + action_mass + other_mass as total_mass,
        {{ mass_ratio('visual_mass', 'visual_mass + linguistic_mass') }} as visual_fraction,
        {{ mass_ratio('linguistic_mass', 'visual_mass + linguistic_mass') }} as linguistic_fraction,
        {{ mass_ratio('visual_mass', 'linguistic_mass') }} as ratio,
        {{ log_mass_ratio('visual_mass', 'linguistic_mass') }} as log_ratio,
        visual_mass / total_mass / nullif(n_visual_tokens / n_tokens, 0) as density_lift_visual,
        linguistic_mass / total_mass / nullif(n_text_tokens / n_tokens, 0) as density_lift_linguistic,
        n_visual_tokens::bigint as n_visual_tokens,
        n_text_tokens::bigint as n_text_tokens,
        n_action_tokens::bigint as n_action_tokens,
        visual_mass_seed,
        text_mass_seed,
        ratio_seed
    from masses

)

select * from balanced
