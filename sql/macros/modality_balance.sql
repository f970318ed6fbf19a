{# What the marts of the modality balance say of a group of episodes; each row that is read is one episode. #}
{% macro balance_over_episodes() -%}
count(*) as n_episodes,
sum(n_undefined)::bigint as n_undefined,
{% for modality in ['visual', 'linguistic', 'state', 'action', 'other', 'letterbox', 'cross_text', 'cross_pad'] -%}
    avg({{ modality }}_mass) as mean_{{ modality }}_mass,
{% endfor -%}
avg(density_lift_visual) as mean_density_lift_visual,
avg(density_lift_linguistic) as mean_density_lift_linguistic,
avg(mean_ratio_seed) as mean_ratio_seed,
stddev_pop(mean_ratio_seed) as std_ratio_seed,
avg(log_ratio) as log_ratio
{%- endmacro %}

{# What is claimed of `averaged`, a group's means, with `intervals`, those of its log ratio. #}
{% macro balance_claimed(n_layers) -%}
{{ mass_ratio('averaged.mean_visual_mass', 'averaged.mean_linguistic_mass') }} as ratio_of_means,
intervals.bca_low as low,
intervals.bca_high as high,
{{ modality_band('intervals.bca_low', 'intervals.bca_high') }} as band,
{{ depth_third('averaged.layer', n_layers) }} as depth_third
{%- endmacro %}
