with

source as (

    select * from {{ source('raw', 'action_effects') }}

),

renamed as (

    select
        run_id,
        inference_id,
        baseline_id,
        mse,
        mse_standardised,
        per_dim,
        params
    from source

)

select * from renamed
