with

points as (

    select * from {{ ref('int_occlusion_curves_averaged_to_episodes') }}

)

select
    run_id,
    layer,
    camera,
    fill,
    curve,
    share,
    count(*) as n_episodes,
    avg(error) as mean_error,
    stddev_samp(error) as std_error
from points
group by all
