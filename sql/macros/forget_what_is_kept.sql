{#
    Before a run with `--full-refresh`: incremental models then start from nothing, so nothing counts as kept, whatever the
    last append left alone.
#}
{% macro forget_what_is_kept() -%}
{%- if flags.FULL_REFRESH -%}
delete from raw.episodes_kept;
create or replace macro raw.rows_kept(table_name) as 0;
{%- endif -%}
{%- endmacro %}
