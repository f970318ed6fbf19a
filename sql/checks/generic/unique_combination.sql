{# The columns together name one row each, and none is null but those in `nullable`. #}
{% test unique_combination(model, columns, nullable=[]) %}
select
    {{ columns | join(', ') }},
    count(*) as n_rows
from {{ model }}
group by all
having
    count(*) > 1
    {%- for column in columns if column not in nullable %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
