with

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

worked as (

    select
        run_id,
        max(finished_at) as last_worked_at
    from {{ ref('stg_raw__timings') }}
    group by run_id

),

described as (

    select
        run_id,
        study,
        policy,
        model_family,
        checkpoint,
        checkpoint_hash,
        n_layers,
        n_heads,
        head_dim,
        dtype,
        attention_impl,
        device,
        seed,
        alpha,
        n_resamples,
        min_episodes,
        config ->> '$.capture.profile' as capture_profile,
        config -> '$.capture' as capture,
        config,
        config_hash,
        git_rev,
        versions,
        schema_version,
        status,
        worked.last_worked_at
    from runs
    left join worked using (run_id)

)

select * from described
