with

episodes as (

    select * from {{ ref('stg_raw__episodes') }}

),

episodes_kept as (

    select * from {{ ref('stg_raw__episodes_kept') }}

),

changed as (

    select
        episodes.run_id,
        episodes.episode_id
    from episodes
    anti join episodes_kept
        on
            episodes.run_id = episodes_kept.run_id
            and episodes.episode_id = episodes_kept.episode_id

)

select * from changed
