with

source as (

    select * from {{ source('raw', 'layer_links') }}

),

renamed as (

    select
        run_id,
        inference_id,
        pass,
        denoise_step,
        layer,
        camera,
        flow::double as flow,
        rollout_mass::double as rollout_mass,
        stability_l2::double as stability_l2
    from source

)

select * from renamed
