{#
    Relations without the name of their database: `ingest publish` builds warehouse.building.duckdb and renames it, and
    DuckDB before 2.0 keeps the name in the text of a view. sqlfluff renders these macros too and has no `builtins`.
#}
{% macro ref() %}
    {%- if builtins is defined -%}
        {%- do return(builtins.ref(*varargs, **kwargs).include(database=false)) -%}
    {%- endif -%}
    {{ varargs | last }}
{%- endmacro %}

{% macro source() %}
    {%- if builtins is defined -%}
        {%- do return(builtins.source(*varargs, **kwargs).include(database=false)) -%}
    {%- endif -%}
    {{ varargs | join('_') }}
{%- endmacro %}
