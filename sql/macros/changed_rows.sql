{#
    The rows of a large raw table that a model or a data test has to look at: all, or after an append those of episodes that
    changed, for the others were worked out and passed when they came. New rows lie at the table's end, and by their numbers
    DuckDB finds them without reading the rest. Where an episode that changed has older rows too, that is all rows again: a
    model that keeps the others' results joins the episodes that changed. Unit tests give rows without numbers.
#}
{% macro changed_rows(table) -%}
{%- set rows = ref('stg_raw__' ~ table) -%}
{%- if model is defined and model.resource_type == 'unit_test' -%}
{{ rows }}
{%- else -%}
(
    select *
    from {{ rows }}
    where row_number >= raw.rows_kept('{{ table }}')
)
{%- endif -%}
{%- endmacro %}

{# DuckDB's number of a row of a raw table, in the order of loading; views over a lake's files have none. #}
{% macro row_number_of(table) -%}
{%- set is_table = true -%}
{%- if execute is defined and execute -%}
    {%- set is_table = load_relation(source('raw', table)).is_table -%}
{%- endif -%}
{{ 'rowid' if is_table else '0' }}
{%- endmacro %}
