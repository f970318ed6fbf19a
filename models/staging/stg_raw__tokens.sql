with

source as (

    select * from {{ source('raw', 'tokens') }}

),

renamed as (

    select
        run_id,
        layout_id,
        pass,
        token_index,
        kind,
        role,
        text,
        word_index,
        camera,
        "row",
        col,
        is_valid
    from source

)

select * from renamed
