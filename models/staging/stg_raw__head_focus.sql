with

source as (

    select
        *,
        {{ row_number_of('head_focus') }} as row_number
    from {{ source('raw', 'head_focus') }}

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
        camera,
        entropy::double as entropy,
        entropy_norm::double as entropy_norm,
        gini::double as gini,
        effective_rank::double as effective_rank,
        participation::double as participation,
        top10_share::double as top10_share,
        variance::double as variance,
        focus_seed::double as focus_seed,
        row_number
    from source

)

select * from renamed
