with

regions as (

    select * from {{ ref('stg_raw__regions') }}

),

located as (

    -- The patches of a camera that show picture: the letterbox is a region of its own.
    select
        run_id,
        layout_id,
        pass,
        region_index + 1 as position,
        substr(name, length('image:') + 1) as camera
    from regions
    where
        is_partition
        and starts_with(name, 'image:')

)

select * from located
