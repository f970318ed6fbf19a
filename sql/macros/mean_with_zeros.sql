{#- Mean of n values, given their sum, and of n_zeros zeros; null where there are neither. -#}
{% macro mean_with_zeros(total, n, n_zeros) -%}
    coalesce({{ total }}, 0) / nullif(coalesce({{ n }}, 0) + coalesce({{ n_zeros }}, 0), 0)
{%- endmacro %}
