with

inferences as (

    select
        inferences.run_id,
        inferences.episode_id,
        inferences.frame_index,
        inferences.noise_index,
        inferences.condition_id,
        inferences.actions
    from {{ ref('stg_raw__inferences') }} as inferences
    inner join {{ ref('stg_raw__conditions') }} as conditions
        on
            inferences.run_id = conditions.run_id
            and inferences.condition_id = conditions.condition_id
    where
        inferences.status = 'ok'
        and conditions.kind = 'knockout'
        and inferences.actions is not null

),

steps as (

    select
        * exclude (actions),
        unnest(actions) as step
    from inferences

),

numbers as (

    select
        * exclude (step),
        unnest(step) as value,
        generate_subscripts(step, 1) as dimension
    from steps

),

averaged as (

    select
        run_id,
        episode_id,
        frame_index,
        noise_index,
        condition_id,
        dimension,
        avg(value::double) as value
    from numbers
    group by all

)

select * from averaged
