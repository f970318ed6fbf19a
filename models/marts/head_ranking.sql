{%- set measures = [
    'entropy', 'entropy_norm', 'gini', 'effective_rank', 'participation', 'top10_share', 'variance', 'focus_seed',
] -%}

with

head_focus as (

    select * from {{ ref('int_head_focus_averaged_to_episodes') }}

),

head_objects as (

    select * from {{ ref('int_head_objects_averaged_to_episodes') }}
    where condition_id = 'baseline:baseline'

),

head_regions as (

    select * from {{ ref('int_head_regions_averaged_to_episodes') }}
    where condition_id = 'baseline:baseline'

),

specialisation as (

    select * from {{ ref('head_specialisation') }}
    where layer = -1

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

focus_over_episodes as (

    select
        run_id,
        pass,
        denoise_step,
        query,
        camera,
        layer,
        head,
        count(*) as n_episodes,
        {% for measure in measures -%}
            avg({{ measure }}) as mean_{{ measure }}{{ ',' if not loop.last }}
        {% endfor -%}
    from head_focus
    group by all

),

lift_over_episodes as (

    select
        run_id,
        pass,
        denoise_step,
        query,
        camera,
        layer,
        head,
        count(*) as n_episodes_with_target,
        avg(mass_share) as mean_target_share,
        avg(lift) as mean_target_lift,
        stddev_samp(lift) as std_target_lift
    from head_objects
    where subject_role = 'named'
    group by all

),

sinks_over_episodes as (

    -- Shares of the whole row, so the same beside each camera.
    select
        run_id,
        pass,
        denoise_step,
        query,
        layer,
        head,
        avg(top_share) as mean_top_share,
        avg(sink_share) as mean_sink_share
    from head_regions
    group by all

),

ranked as (

    select
        *,
        rank() over (
            partition by run_id, pass, denoise_step, query, camera
            order by mean_entropy_norm
        ) as rank_by_focus,
        case when mean_focus_seed is not null then rank() over (
            partition by run_id, pass, denoise_step, query, camera
            order by mean_focus_seed desc nulls last
        ) end as rank_by_focus_seed,
        case when mean_target_lift is not null then rank() over (
            partition by run_id, pass, denoise_step, query, camera
            order by mean_target_lift desc nulls last
        ) end as rank_by_target_lift
    from focus_over_episodes
    left join lift_over_episodes
        using (run_id, pass, denoise_step, query, camera, layer, head)
    left join sinks_over_episodes
        using (run_id, pass, denoise_step, query, layer, head)

),

described as (

    select
        ranked.*,
        focus.rank_correlation as focus_rank_correlation,
        lift.rank_correlation as target_lift_rank_correlation,
        {{ is_last_prefix_layer('ranked.pass', 'ranked.layer', 'runs.n_layers') }} as is_last_prefix_layer
    from ranked
    inner join runs
        on ranked.run_id = runs.run_id
    left join specialisation as focus
        on
            ranked.run_id = focus.run_id
            and ranked.pass = focus.pass
            and ranked.denoise_step = focus.denoise_step
            and ranked.query = focus.query
            and ranked.camera = focus.camera
            and focus.measure = 'entropy_norm'
    left join specialisation as lift
        on
            ranked.run_id = lift.run_id
            and ranked.pass = lift.pass
            and ranked.denoise_step = lift.denoise_step
            and ranked.query = lift.query
            and ranked.camera = lift.camera
            and lift.measure = 'target_lift'

)

select * from described
