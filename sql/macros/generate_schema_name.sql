{# Schemas are named as written ('marts'), never with the target's schema in front ('main_marts'). #}
{% macro generate_schema_name(custom_schema_name, node) -%}
{{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
