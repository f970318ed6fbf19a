{%- set measures = [
    'correlation', 'jsd', 'target_log_lift', 'target_log_lift_change', 'target_mass_share_change',
] -%}

with

intervals as (

    select * from {{ ref('bootstrap_intervals') }}
    where topic = 'sanity'

),

depths as (

    select distinct
        run_id,
        condition_id,
        n_layers_randomised,
        pass,
        layer,
        is_randomised
    from {{ ref('int_randomised_compared_to_trained') }}

)

select
    intervals.run_id,
    intervals.condition_id,
    depths.n_layers_randomised,
    intervals.pass,
    intervals.denoise_step,
    intervals.layer,
    intervals.query,
    intervals.camera,
    depths.is_randomised,
    intervals.is_last_prefix_layer,
    max(intervals.n) filter (where intervals.metric = 'jsd') as n_episodes,
    coalesce(max(intervals.n) filter (where intervals.metric = 'target_log_lift_change'), 0) as n_episodes_target,
    {% for measure in measures -%}
        max(intervals.estimate) filter (where intervals.metric = '{{ measure }}') as mean_{{ measure }},
        max(intervals.bca_low) filter (where intervals.metric = '{{ measure }}') as {{ measure }}_low,
        max(intervals.bca_high) filter (where intervals.metric = '{{ measure }}')
            as {{ measure }}_high{{ ',' if not loop.last }}
    {% endfor -%}
from intervals
inner join depths
    on
        intervals.run_id = depths.run_id
        and intervals.condition_id = depths.condition_id
        and intervals.pass = depths.pass
        and intervals.layer = depths.layer
group by all
