with

source as (

    select * from {{ source('raw', 'frames') }}

),

renamed as (

    select
        run_id,
        episode_id,
        frame_index,
        "timestamp",
        state,
        gripper,
        pictures,
        masks,
        status,
        reason
    from source

)

select * from renamed
