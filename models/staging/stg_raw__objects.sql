with

source as (

    select * from {{ source('raw', 'objects') }}

),

renamed as (

    select
        run_id,
        episode_id,
        frame_index,
        camera,
        object_index,
        category,
        role,
        score::double as score,
        area_share::double as area_share,
        coverage,
        mask_path,
        mask_source
    from source

)

select * from renamed
