{#
    What a data test of a large raw table reads: all rows of a full load; after an append those of episodes that changed,
    for the others passed when they were added. New rows lie at the table's end, and by their row ids DuckDB finds them
    without reading the rest. Only a load into tables is ever appended to, so there are row ids.
#}
{% macro rows_to_check(table) -%}
{%- set rows = ref('stg_raw__' ~ table) -%}
{%- set raw_rows = source('raw', table) -%}
{%- set inferences = ref('stg_raw__inferences') -%}
{%- set changed = ref('int_episodes_changed') -%}
{%- set kept = ref('stg_raw__episodes_kept') -%}
{%- set is_append = false -%}
{%- if execute is defined and execute -%}
    {%- set is_append = run_query('select 1 from ' ~ kept ~ ' limit 1').rows | length > 0 -%}
{%- endif -%}
{%- if is_append -%}
(
    select *
    from {{ raw_rows }}
    where
        rowid in (
            select added.rowid
            from {{ raw_rows }} as added
            inner join {{ inferences }} as inferences using (run_id, inference_id)
            semi join {{ changed }} as changed using (run_id, episode_id)
        )
)
{%- else -%}
{{ rows }}
{%- endif -%}
{%- endmacro %}
