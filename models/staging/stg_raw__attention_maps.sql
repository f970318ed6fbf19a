with

source as (

    select * from {{ source('raw', 'attention_maps') }}

),

renamed as (

    select
        run_id,
        inference_id,
        pass,
        denoise_step,
        layer,
        head,
        query_index,
        rows,
        camera,
        map,
        mass::double as mass
    from source

)

select * from renamed
