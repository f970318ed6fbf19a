with

groups as (

    select * from {{ ref('int_episode_values_listed') }}
    where topic = 'paired difference'

),

differences as (

    select distinct
        run_id,
        hypothesis,
        estimand,
        alternative
    from {{ ref('int_episode_differences_paired') }}

),

intervals as (

    select * from {{ ref('bootstrap_intervals') }}
    where topic = 'paired difference'

),

listed as (

    -- Families leave out the layer whose prefix output nothing uses.
    select
        groups.run_id,
        differences.hypothesis,
        groups.family,
        differences.estimand,
        differences.alternative,
        groups.pass,
        groups.denoise_step,
        groups.query,
        groups.rows,
        groups.camera,
        groups.condition_id,
        groups.layer,
        groups.episode_values,
        intervals.bca_low as low,
        intervals.bca_high as high,
        groups.alpha,
        groups.min_episodes,
        groups.n_resamples,
        groups.bootstrap_seed,
        {{ group_seed('groups.run_seed', ["'paired_tests'"]) }} as seed
    from groups
    inner join differences
        on
            groups.run_id = differences.run_id
            and groups.metric = differences.estimand
    left join intervals
        on
            groups.run_id = intervals.run_id
            and groups.family = intervals.family
            and groups.condition_id is not distinct from intervals.condition_id
            and groups.layer is not distinct from intervals.layer
    where not groups.is_last_prefix_layer

)

select * from listed
