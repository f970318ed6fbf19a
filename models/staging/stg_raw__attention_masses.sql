with

source as (

    select
        *,
        {{ row_number_of('attention_masses') }} as row_number
    from {{ source('raw', 'attention_masses') }}

),

renamed as (

    select
        run_id,
        inference_id,
        pass,
        denoise_step,
        softmax,
        layer,
        head,
        query_index,
        masses::double[] as masses,
        object_masses::double[] as object_masses,
        top_key,
        top_share::double as top_share,
        sink_share::double as sink_share,
        row_number
    from source

)

select * from renamed
