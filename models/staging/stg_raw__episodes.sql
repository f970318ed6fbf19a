with

source as (

    select * from {{ source('raw', 'episodes') }}

),

renamed as (

    select
        run_id,
        episode_id,
        dataset,
        suite,
        task_index,
        task,
        instruction,
        outcome,
        failure_kind,
        n_frames,
        n_keyframes,
        source,
        metadata
    from source

)

select * from renamed
