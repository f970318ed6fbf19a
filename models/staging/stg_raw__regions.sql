with

source as (

    select * from {{ source('raw', 'regions') }}

),

renamed as (

    select
        run_id,
        layout_id,
        pass,
        region_index,
        kind,
        name,
        n_keys,
        is_partition
    from source

)

select * from renamed
