{# Every number lies between low and high, both included; null passes, NaN does not. `ranges`: column -> [low, high]. #}
{% test in_ranges(model, ranges) %}
select {{ ranges.keys() | join(', ') }}
from {{ model }}
where
    {%- for column, (low, high) in ranges.items() %}
    {{ 'or' if not loop.first }} {{ column }} not between {{ low }} and {{ high }}
    {%- endfor %}
{% endtest %}
