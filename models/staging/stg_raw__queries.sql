with

source as (

    select * from {{ source('raw', 'queries') }}

),

renamed as (

    select
        run_id,
        layout_id,
        pass,
        query_index,
        kind,
        name,
        n_rows,
        word_index
    from source

)

select * from renamed
