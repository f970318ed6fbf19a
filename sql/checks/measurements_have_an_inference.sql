-- A row that was measured belongs to an inference that is stored, and a comparison to two.
{% set measured = [
    'attention_masses', 'attention_maps', 'head_focus', 'object_metrics', 'map_shifts', 'layer_links', 'camera_links',
    'action_effects',
] %}
with

inferences as (

    select
        run_id,
        inference_id
    from {{ ref('stg_raw__inferences') }}

),

measured as (

    {% for table in measured -%}
    select distinct
        '{{ table }}' as measured_in,
        run_id,
        inference_id
    from {{ ref('stg_raw__' ~ table) }}

    union all

    {% endfor -%}
    {% for table in ['map_shifts', 'action_effects'] -%}
    select distinct
        '{{ table }} (baseline)' as measured_in,
        run_id,
        baseline_id as inference_id
    from {{ ref('stg_raw__' ~ table) }}
    {{ 'union all' if not loop.last }}

    {% endfor %}

)

select measured.*
from measured
anti join inferences
    on
        measured.run_id = inferences.run_id
        and measured.inference_id = inferences.inference_id
