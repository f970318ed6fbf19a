{# What is wrong with a row's values, in words; null where nothing is. The arguments are those of the test `sound`. #}
{% macro broken_value(ranges, words, present, finite) -%}
case
    {%- for column, (low, high) in ranges.items() %}
    when {{ column }} not between {{ low }} and {{ high }}
        then concat('{{ column }} = ', {{ column }}, ' is not from {{ low }} to {{ high }}')
    {%- endfor %}
    {%- for column, allowed in words.items() %}
    when {{ column }} not in ('{{ allowed | join("', '") }}')
        then concat('{{ column }} = ''', {{ column }}, ''' is none of its words')
    {%- endfor %}
    {%- for column in present %}
    when {{ column }} is null then '{{ column }} is null'
    {%- endfor %}
    {%- for column in finite %}
    when not isfinite({{ column }}) then concat('{{ column }} = ', {{ column }}, ' is not finite')
    {%- endfor %}
    when false then ''
end
{%- endmacro %}

{# Keys that are there more than once or lack a column, and keys of rows with a broken value. #}
{% macro broken_keys(relation, key, nullable) -%}
select
    case
        when count(*) > 1 then concat('the key is there ', count(*), ' times')
        {%- for column in key if column not in nullable %}
        when {{ column }} is null then '{{ column }} of the key is null'
        {%- endfor %}
        else any_value(broken)
    end as broken,
    {
        {%- for column in key %}'{{ column }}': {{ column }}{{ ', ' if not loop.last }}{% endfor -%}
    }::varchar as in_row
from {{ relation }}
group by {{ key | join(', ') }}
having
    count(*) > 1
    or any_value(broken) is not null
    {%- for column in key if column not in nullable %}
    or {{ column }} is null
    {%- endfor %}
{%- endmacro %}
