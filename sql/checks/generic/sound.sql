{#
    All that is asked of a model's rows, in one pass over them and one node of the build. A row that comes back says what
    is `broken` and in which row.

    `key`, and `other_key`: the columns together name one row each, and none is null but those in `nullable`.
    `ranges`: column -> [low, high], both included; null passes, NaN does not.
    `words`: column -> the words that it may hold; null passes.
    `present`: columns that are never null. `finite`: columns without NaN and infinity; null passes, for it has a reason.
    `table`: the raw table that the model shows, where it is so large that only new rows are looked at (see changed_rows).
    `is_incremental`: the model keeps the rows of episodes that did not change; they were looked at when they came, and no
    key has two episodes.
#}
{% test sound(
    model, key=[], other_key=[], nullable=[], ranges={}, words={}, present=[], finite=[], table=none, is_incremental=false
) %}
with

looked_at as (

    select
        *,
        {{ broken_value(ranges, words, present, finite) }} as broken
    from {{ changed_rows(table) if table else model }}
    {%- if is_incremental %}
    anti join {{ ref('stg_raw__episodes_kept') }} using (run_id, episode_id)
    {%- endif %}

)

{% if key %}
{{ broken_keys('looked_at', key, nullable) }}
{%- else %}
select
    broken,
    null as in_row
from looked_at
where broken is not null
{%- endif %}
{%- if other_key %}
union all
{{ broken_keys('looked_at', other_key, nullable) }}
{%- endif %}
{% endtest %}
