with

effects as (

    select * from {{ ref('int_experiment_effects') }}
    where
        condition_kind = 'occlusion'
        and arm in ('high', 'delete', 'insert')

),

points as (

    select
        run_id,
        episode_id,
        layer,
        query,
        camera,
        fill,
        if(arm = 'insert', 'insert', 'delete') as curve,
        share,
        avg(mse_standardised) as error
    from effects
    group by all

),

curves as (

    -- The high arm is a point of every deletion curve; alone it is none.
    select distinct
        run_id,
        layer,
        camera,
        fill
    from effects
    where arm in ('delete', 'insert')

),

ends as (

    -- Nothing covered is the baseline itself: an error of 0.
    select distinct
        points.* exclude (share, error),
        if(points.curve = 'delete', 0.0, 1.0) as share,
        0.0 as error
    from points

),

joined as (

    select * from points
    union all by name
    select * from ends

)

select joined.*
from joined
inner join curves
    on
        joined.run_id = curves.run_id
        and joined.layer = curves.layer
        and joined.camera = curves.camera
        and joined.fill = curves.fill
