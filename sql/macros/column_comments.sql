{# Descriptions of columns as comments, without first asking the table for its columns: every column is described. #}
{% macro duckdb__alter_column_comment(relation, column_dict) -%}
    {%- for name, column in column_dict.items() %}
    comment on column {{ relation }}.{{ name }} is {{ duckdb_escape_comment(column['description']) }};
    {%- endfor %}
{%- endmacro %}
