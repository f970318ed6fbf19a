with

groups as (

    select * from {{ ref('int_episode_values_listed') }}
    where
        outcome = 'all'
        and not is_last_prefix_layer
        and (
            topic in ('modality balance', 'action shift', 'paired difference')
            or (
                topic = 'object attention'
                and role = 'target'
                and (
                    (metric = 'log_lift' and rows = 'mean')
                    or (metric = 'overlap_ratio_seed' and rows = 'max')
                )
            )
        )

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

measured as (

    select
        groups.*,
        runs.n_layers
    from groups
    inner join runs
        on groups.run_id = runs.run_id

),

paired as (

    -- Layers of models of another depth are other layers.
    select
        a.run_id as run_id_a,
        b.run_id as run_id_b,
        a.topic,
        a.family,
        a.metric,
        a.pass,
        a.denoise_step,
        a.query,
        a.rows,
        a.camera,
        a.condition_id,
        a.layer,
        a.episode_numbers as episode_numbers_a,
        a.episode_values as values_a,
        b.episode_numbers as episode_numbers_b,
        b.episode_values as values_b,
        a.n_resamples,
        {{ group_seed("0", ["'run_comparison'", 'a.run_seed', 'b.run_seed']) }} as seed
    from measured as a
    inner join measured as b
        on
            a.run_id < b.run_id
            and a.topic = b.topic
            and a.family = b.family
            and a.condition_id is not distinct from b.condition_id
            and a.layer is not distinct from b.layer
            and (a.layer is null or a.layer = -1 or a.n_layers = b.n_layers)

)

select * from paired
