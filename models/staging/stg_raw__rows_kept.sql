with

source as (

    select * from {{ source('raw', 'rows_kept') }}

),

renamed as (

    select
        table_name,
        n_rows
    from source

)

select * from renamed
