with

source as (

    select * from {{ source('raw', 'units') }}

),

renamed as (

    select
        run_id,
        unit,
        episode_id,
        condition_group,
        status,
        reason,
        n_inferences,
        n_planned,
        manifest_hash
    from source

)

select * from renamed
