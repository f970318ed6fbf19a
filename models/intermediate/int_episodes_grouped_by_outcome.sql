with

episodes as (

    -- Numbers in the order of the names, the same in every run: they are listed, sorted and paired faster than names.
    select
        *,
        coalesce(task, instruction) as task_of_episode,
        dense_rank() over (order by episode_id)::integer as episode_number,
        dense_rank() over (order by coalesce(task, instruction))::integer as task_number
    from {{ ref('stg_raw__episodes') }}

),

by_outcome as (

    select
        run_id,
        episode_id,
        task_of_episode,
        episode_number,
        task_number,
        outcome
    from episodes
    where outcome is not null

),

all_outcomes as (

    select
        run_id,
        episode_id,
        task_of_episode,
        episode_number,
        task_number,
        'all' as outcome
    from episodes

),

grouped as (

    select * from by_outcome
    union all
    select * from all_outcomes

)

select * from grouped
