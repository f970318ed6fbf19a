with

head_objects as (

    select * from {{ ref('int_head_objects_averaged_to_episodes') }}
    where
        condition_id = 'baseline:baseline'
        and subject_role = 'named'

),

head_focus as (

    select * from {{ ref('int_head_focus_averaged_to_episodes') }}

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

unioned as (

    select
        'target_lift' as measure,
        run_id,
        episode_id,
        pass,
        denoise_step,
        layer,
        head,
        query,
        camera,
        lift as value
    from head_objects

    union all

    select
        'entropy_norm' as measure,
        run_id,
        episode_id,
        pass,
        denoise_step,
        layer,
        head,
        query,
        camera,
        entropy_norm as value
    from head_focus

),

listed as (

    -- Layers whose output nothing uses are left out: their heads cannot serve anything.
    select
        unioned.run_id,
        unioned.measure,
        unioned.pass,
        unioned.denoise_step,
        unioned.query,
        unioned.camera,
        unioned.episode_id,
        list(unioned.layer order by unioned.layer, unioned.head) as layers,
        list(unioned.head order by unioned.layer, unioned.head) as heads,
        list(unioned.value order by unioned.layer, unioned.head) as head_values,
        runs.alpha,
        runs.min_episodes,
        {{ group_seed('runs.seed', ["'heads'"]) }} as seed
    from unioned
    inner join runs
        on unioned.run_id = runs.run_id
    where not {{ is_last_prefix_layer('unioned.pass', 'unioned.layer', 'runs.n_layers') }}
    group by all

)

select * from listed
