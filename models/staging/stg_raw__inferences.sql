with

source as (

    select * from {{ source('raw', 'inferences') }}

),

renamed as (

    select
        run_id,
        inference_id,
        episode_id,
        frame_index,
        condition_id,
        noise_index,
        prompt,
        named_object,
        token_hash,
        layout_id,
        actions,
        answer,
        params,
        status,
        reason
    from source

)

select * from renamed
