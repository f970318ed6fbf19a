with

objects as (

    select
        run_id,
        camera,
        1 as preference,
        max(n_episodes) as n_episodes
    from {{ ref('object_attention_by_layer') }}
    where
        pass = 'prefix'
        and query = 'instruction'
        and outcome = 'all'
        and role = 'target'
        and against = 'own'
    group by all

),

shifts as (

    select
        run_id,
        camera,
        2 as preference,
        count(distinct episode_id) as n_episodes
    from {{ ref('prompt_shift_by_episode') }}
    where
        pass = 'prefix'
        and query = 'instruction'
    group by all

),

candidates as (

    select * from objects
    union all
    select * from shifts

),

chosen as (

    -- The camera with the target in view in the most episodes, else with the most prompt shifts; ties by name.
    select
        run_id,
        camera
    from candidates
    qualify row_number() over (partition by run_id order by preference asc, n_episodes desc, camera asc) = 1

)

select * from chosen
