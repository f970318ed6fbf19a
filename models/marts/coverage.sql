with

units as (

    select * from {{ ref('stg_raw__units') }}

),

inferences as (

    select * from {{ ref('stg_raw__inferences') }}

),

conditions as (

    select * from {{ ref('stg_raw__conditions') }}

),

units_counted as (

    select
        run_id,
        condition_group,
        count(*) as n_units,
        count(*) filter (where status = 'done') as n_done,
        count(*) filter (where status = 'partial') as n_partial,
        count(*) filter (where status = 'failed') as n_failed,
        count(*) filter (where status = 'skipped') as n_skipped,
        count(*) filter (where status = 'pending') as n_pending,
        sum(n_planned)::bigint as n_planned_inferences
    from units
    group by all

),

inferences_counted as (

    select
        inferences.run_id,
        conditions.condition_group,
        count(*) as n_inferences,
        count(*) filter (where inferences.status = 'ok') as n_ok,
        count(*) filter (where inferences.status = 'vacuous') as n_vacuous,
        count(*) filter (where inferences.status = 'nan') as n_nan,
        count(*) filter (where inferences.status = 'failed') as n_failed_inferences
    from inferences
    inner join conditions
        on
            inferences.run_id = conditions.run_id
            and inferences.condition_id = conditions.condition_id
    group by all

),

joined as (

    select
        units_counted.*,
        coalesce(inferences_counted.n_inferences, 0) as n_inferences,
        coalesce(inferences_counted.n_ok, 0) as n_ok,
        coalesce(inferences_counted.n_vacuous, 0) as n_vacuous,
        coalesce(inferences_counted.n_nan, 0) as n_nan,
        coalesce(inferences_counted.n_failed_inferences, 0) as n_failed_inferences
    from units_counted
    left join inferences_counted
        on
            units_counted.run_id = inferences_counted.run_id
            and units_counted.condition_group = inferences_counted.condition_group

)

select * from joined
