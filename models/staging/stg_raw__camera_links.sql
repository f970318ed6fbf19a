with

source as (

    select
        *,
        {{ row_number_of('camera_links') }} as row_number
    from {{ source('raw', 'camera_links') }}

),

renamed as (

    select
        run_id,
        inference_id,
        pass,
        denoise_step,
        layer,
        query_index,
        camera,
        other_camera,
        correlation::double as correlation,
        other_frame_correlation::double as other_frame_correlation,
        mass_share::double as mass_share,
        other_mass_share::double as other_mass_share,
        n_patches,
        reason,
        row_number
    from source

)

select * from renamed
