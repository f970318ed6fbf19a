{#
    Descriptions of a model and its columns as comments, in one statement: dbt's own way takes two, the second after a
    question for the columns that there are, and calls a macro for each of them. Every model and column is described.
#}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set name = relation | string -%}
    {%- set comments = [] -%}
    {%- if for_relation and config.persist_relation_docs() -%}
        {%- do comments.append((relation.type, name, model.description)) -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() -%}
        {%- for column, described in model.columns.items() -%}
            {%- do comments.append(('column', name ~ '.' ~ column, described.description)) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if comments -%}
        {%- call statement('comments') -%}
            {%- for kind, of, words in comments %}
            comment on {{ kind }} {{ of }} is '{{ words | replace("'", "''") }}';
            {%- endfor %}
        {%- endcall -%}
    {%- endif -%}
{%- endmacro %}
