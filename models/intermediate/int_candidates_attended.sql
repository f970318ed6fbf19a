with

cameras as (

    select * from {{ ref('int_camera_attention_averaged_to_episodes') }}

),

objects as (

    select * from {{ ref('object_attention_by_episode') }}
    where
        rows = 'mean'
        and against = 'own'
        and not is_last_prefix_layer

),

names as (

    select distinct
        run_id,
        'object' as question,
        'action' as query,
        object
    from {{ ref('int_regions_named') }}
    where object is not null

    union all

    select distinct
        run_id,
        question,
        if(question = 'words_to_object', 'instruction', 'action') as query,
        candidate as object
    from {{ ref('int_attention_cuts_named') }}

),

attended as (

    select
        run_id,
        episode_id,
        denoise_step,
        'camera' as question,
        camera as candidate,
        log_lift
    from cameras

    union all

    select
        objects.run_id,
        objects.episode_id,
        objects.denoise_step,
        names.question,
        objects.role as candidate,
        objects.log_lift
    from objects
    inner join names
        on
            objects.run_id = names.run_id
            and objects.query = names.query
            and objects.role = names.object

),

last_steps as (

    -- The last step is the one that the actions come from.
    select * from attended
    qualify denoise_step = max(denoise_step) over (partition by run_id, question)

),

averaged_to_episodes as (

    select
        run_id,
        episode_id,
        question,
        candidate,
        avg(log_lift) as log_lift
    from last_steps
    group by all

)

select * from averaged_to_episodes
where log_lift is not null
