with

source as (

    select
        *,
        {{ row_number_of('layer_links') }} as row_number
    from {{ source('raw', 'layer_links') }}

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
        flow::double as flow,
        rollout_mass::double as rollout_mass,
        rollout_correlation::double as rollout_correlation,
        stability_l2::double as stability_l2,
        stability_tv::double as stability_tv,
        stability_l2_raw::double as stability_l2_raw,
        row_number
    from source

)

select * from renamed
