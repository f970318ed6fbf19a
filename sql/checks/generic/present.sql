{# None of the columns is null. #}
{% test present(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
where
    {%- for column in columns %}
    {{ 'or' if not loop.first }} {{ column }} is null
    {%- endfor %}
{% endtest %}
