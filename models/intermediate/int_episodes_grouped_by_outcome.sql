with

episodes as (

    select * from {{ ref('stg_raw__episodes') }}

),

by_outcome as (

    select
        run_id,
        episode_id,
        coalesce(task, instruction) as task_of_episode,
        outcome
    from episodes
    where outcome is not null

),

all_outcomes as (

    select
        run_id,
        episode_id,
        coalesce(task, instruction) as task_of_episode,
        'all' as outcome
    from episodes

),

grouped as (

    select * from by_outcome
    union all
    select * from all_outcomes

)

select * from grouped
