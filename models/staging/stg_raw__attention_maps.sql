with

source as (

    select
        *,
        {{ row_number_of('attention_maps') }} as row_number
    from {{ source('raw', 'attention_maps') }}

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
        mass::double as mass,
        row_number
    from source

)

select * from renamed
