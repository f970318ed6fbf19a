with

inferences as (

    select * from {{ ref('int_inferences_selected') }}

),

episodes as (

    select * from {{ ref('int_episodes_changed') }}

),

changed as (

    select inferences.*
    from inferences
    semi join episodes
        on
            inferences.run_id = episodes.run_id
            and inferences.episode_id = episodes.episode_id

)

select * from changed
