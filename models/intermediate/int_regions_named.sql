with

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

unnested as (

    select
        run_id,
        unnest(try_cast(config -> '$.conditions.occlusion.regions' as json[])) as region
    from runs

),

named as (

    select
        run_id,
        region ->> '$.name' as region,
        region ->> '$.object' as object,
        region ->> '$.camera' as camera,
        coalesce(try_cast(region -> '$.box' as double[]) = [0, 0, 1, 1], false) as is_whole_picture
    from unnested

)

select * from named
