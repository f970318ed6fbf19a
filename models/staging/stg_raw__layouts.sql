with

source as (

    select * from {{ source('raw', 'layouts') }}

),

renamed as (

    select
        run_id,
        layout_id,
        model_family,
        n_keys,
        cameras
    from source

)

select * from renamed
