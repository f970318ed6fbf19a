with

source as (

    select * from {{ source('raw', 'timings') }}

),

renamed as (

    select
        run_id,
        unit,
        inference_id,
        stage,
        seconds,
        batch_size,
        host,
        finished_at
    from source

)

select * from renamed
