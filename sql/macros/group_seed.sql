{#
    Seed of a group's random draws, from the run's seed and what names the group: it stays the same when other
    groups come or go. 31 bits, so that every generator takes it.
#}
{% macro group_seed(run_seed, parts) -%}
(md5_number_lower(concat_ws('|', {{ run_seed }}, {{ parts | join(', ') }})) % 2147483647)::bigint
{%- endmacro %}
