{# Every word is one of those listed; null passes. `sets`: column -> its words. #}
{% test in_sets(model, sets) %}
select distinct {{ sets.keys() | join(', ') }}
from {{ model }}
where
    {%- for column, words in sets.items() %}
    {{ 'or' if not loop.first }} {{ column }} not in ('{{ words | join("', '") }}')
    {%- endfor %}
{% endtest %}
