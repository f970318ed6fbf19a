{# Name of a family of tests: one metric over the layers of one (pass, step, query, rows, camera). #}
{% macro family_name(metric='metric') -%}
concat_ws(
    ', ',
    {{ metric }},
    pass,
    case when denoise_step >= 0 then 'step ' || denoise_step end,
    query,
    rows || ' over rows',
    camera
)
{%- endmacro %}
