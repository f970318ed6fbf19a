with

actions as (

    select * from {{ ref('int_mean_actions') }}

),

conditions as (

    select
        run_id,
        condition_id,
        params ->> '$.arm' as arm,
        params ->> '$.cut' as cut,
        (params ->> '$.layer')::integer as layer
    from {{ ref('stg_raw__conditions') }}
    where kind = 'knockout'

),

dimensions_of_frames as (

    select
        actions.run_id,
        conditions.cut,
        conditions.layer,
        actions.episode_id,
        actions.frame_index,
        actions.noise_index,
        actions.dimension,
        avg(actions.value) filter (where conditions.arm = 'cut')
        - avg(actions.value) filter (where conditions.arm = 'control') as effect
    from actions
    inner join conditions
        on
            actions.run_id = conditions.run_id
            and actions.condition_id = conditions.condition_id
    group by all

),

averaged_to_episodes as (

    select
        run_id,
        cut,
        layer,
        episode_id,
        dimension,
        avg(effect) as effect
    from dimensions_of_frames
    group by all

)

select * from averaged_to_episodes
where effect is not null
