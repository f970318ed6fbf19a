with

source as (

    select * from {{ source('raw', 'episodes_kept') }}

),

renamed as (

    select
        run_id,
        episode_id
    from source

)

select * from renamed
