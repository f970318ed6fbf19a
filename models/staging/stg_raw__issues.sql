with

source as (

    select * from {{ source('raw', 'issues') }}

),

renamed as (

    select
        run_id,
        unit,
        episode_id,
        stage,
        subject,
        reason,
        detail
    from source

)

select * from renamed
