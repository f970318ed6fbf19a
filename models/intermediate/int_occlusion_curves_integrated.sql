with

points as (

    select
        *,
        lag(share) over same_curve as share_before,
        lag(error) over same_curve as error_before
    from {{ ref('int_occlusion_curves_averaged_to_episodes') }}
    window same_curve as (
        partition by run_id, episode_id, layer, query, camera, fill, curve
        order by share
    )

),

integrated as (

    -- Trapezoids over the shares that were run, divided by their span: the mean error along the curve.
    select
        run_id,
        episode_id,
        layer,
        query,
        camera,
        fill,
        curve,
        sum((share - share_before) * (error + error_before) / 2) / nullif(max(share) - min(share), 0) as auc
    from points
    group by all

)

select * from integrated
