{#
    The columns together name one row each, and none is null but those in `nullable`. `table`: the raw table that the
    model shows, where it is so large that only new rows are looked at (see rows_to_check). `is_incremental`: the model
    keeps the rows of episodes that did not change; they were looked at when they came, and no key has two episodes.
#}
{% test unique_combination(model, columns, nullable=[], table=none, is_incremental=false) %}
select
    {{ columns | join(', ') }},
    count(*) as n_rows
from {{ rows_to_check(table) if table else model }}
{%- if is_incremental %}
anti join {{ ref('stg_raw__episodes_kept') }} using (run_id, episode_id)
{%- endif %}
group by all
having
    count(*) > 1
    {%- for column in columns if column not in nullable %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
