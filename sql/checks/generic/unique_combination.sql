{#
    The columns together name one row each, and none is null but those in `nullable`. `table`: the raw table that the
    model shows, where it is so large that only new rows are looked at (see rows_to_check).
#}
{% test unique_combination(model, columns, nullable=[], table=none) %}
select
    {{ columns | join(', ') }},
    count(*) as n_rows
from {{ rows_to_check(table) if table else model }}
group by all
having
    count(*) > 1
    {%- for column in columns if column not in nullable %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
