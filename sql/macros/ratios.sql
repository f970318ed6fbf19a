{# A mass below this counts as none: ratios to it are null. #}
{% macro no_mass() -%}
1e-8
{%- endmacro %}

{# a / b, null where b is next to nothing. #}
{% macro mass_ratio(numerator, denominator) -%}
({{ numerator }}) / case when ({{ denominator }}) >= {{ no_mass() }} then ({{ denominator }}) end
{%- endmacro %}

{# ln(a / b), null where a or b is next to nothing. #}
{% macro log_mass_ratio(numerator, denominator) -%}
ln(
    case when ({{ numerator }}) >= {{ no_mass() }} then ({{ numerator }}) end
    / case when ({{ denominator }}) >= {{ no_mass() }} then ({{ denominator }}) end
)
{%- endmacro %}

{# Third of the model's depth a layer lies in; null for layers_avg (-1). #}
{% macro depth_third(layer='layer', n_layers='n_layers') -%}
case
    when {{ layer }} < 0 then null
    when 3 * {{ layer }} < {{ n_layers }} then 'early'
    when 3 * {{ layer }} < 2 * {{ n_layers }} then 'middle'
    else 'late'
end
{%- endmacro %}

{# Band of the log ratio's interval: claimed only where the whole interval lies inside it. #}
{% macro modality_band(low, high) -%}
case
    when {{ low }} > ln(1.5) then 'visual'
    when {{ high }} < ln(0.67) then 'linguistic'
    when {{ low }} >= ln(0.67) and {{ high }} <= ln(1.5) then 'balanced'
end
{%- endmacro %}
