with

episodes as (

    select * from {{ ref('stg_raw__episodes') }}

),

described as (

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
        metadata ->> '$.failure_family' as failure_family,
        metadata ->> '$.target' as target,
        metadata ->> '$.scenario' as scenario,
        n_frames,
        n_keyframes,
        source,
        metadata
    from episodes

)

select * from described
