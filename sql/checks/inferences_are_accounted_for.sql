-- Each unit's count is what is stored; a unit that is done has all it planned, and no inference lacks a unit.
with

units as (

    select * from {{ ref('stg_raw__units') }}

),

stored as (

    select
        inferences.run_id,
        inferences.episode_id,
        conditions.condition_group,
        count(*) as n_stored
    from {{ ref('stg_raw__inferences') }} as inferences
    inner join {{ ref('stg_raw__conditions') }} as conditions
        on
            inferences.run_id = conditions.run_id
            and inferences.condition_id = conditions.condition_id
    group by all

)

select
    coalesce(units.run_id, stored.run_id) as run_id,
    coalesce(units.episode_id, stored.episode_id) as episode_id,
    coalesce(units.condition_group, stored.condition_group) as condition_group,
    units.status,
    units.n_planned,
    units.n_inferences,
    stored.n_stored
from units
full outer join stored
    on
        units.run_id = stored.run_id
        and units.episode_id = stored.episode_id
        and units.condition_group = stored.condition_group
where
    units.unit is null
    or coalesce(units.n_inferences, 0) != coalesce(stored.n_stored, 0)
    or (units.status = 'done' and units.n_planned != units.n_inferences)
    or units.n_inferences > units.n_planned
