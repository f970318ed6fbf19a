{# No NaN and no infinity; null passes, for it has a reason. #}
{% test finite(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
where
    {%- for column in columns %}
    {{ 'or' if not loop.first }} not isfinite({{ column }})
    {%- endfor %}
{% endtest %}
