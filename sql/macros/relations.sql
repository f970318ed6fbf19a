{#
    Relations without the name of their database: `ingest publish` builds warehouse.building.duckdb and renames it, and
    DuckDB before 2.0 keeps the name in the text of a view.
#}
{% macro ref() %}
    {%- set relation = builtins.ref(*varargs, **kwargs) -%}
    {%- do return(relation.include(database=false)) -%}
{% endmacro %}

{% macro source() %}
    {%- set relation = builtins.source(*varargs, **kwargs) -%}
    {%- do return(relation.include(database=false)) -%}
{% endmacro %}
