with

conditions as (

    select
        run_id,
        params ->> '$.cut' as cut,
        params ->> '$.query' as query,
        params ->> '$.keys' as keys,
        (params ->> '$.n_layers')::integer as n_layers
    from {{ ref('stg_raw__conditions') }}
    where
        kind = 'knockout'
        and params ->> '$.arm' = 'cut'

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

named as (

    -- What some layers do not read, others may: only a cut in all of them is a whole path.
    select
        conditions.run_id,
        conditions.cut,
        case conditions.query
            when 'action' then 'actions_to_object'
            else 'words_to_object'
        end as question,
        replace(conditions.keys, 'object:', '') as candidate
    from conditions
    inner join runs
        on
            conditions.run_id = runs.run_id
            and conditions.n_layers = runs.n_layers
    where
        conditions.query in ('action', 'instruction')
        and starts_with(conditions.keys, 'object:')

)

select * from named
