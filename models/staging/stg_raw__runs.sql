with

source as (

    select * from {{ source('raw', 'runs') }}

),

renamed as (

    select
        run_id,
        study,
        config,
        coalesce(try_cast(config ->> '$.statistics.alpha' as double), 0.05) as alpha,
        coalesce(try_cast(config ->> '$.statistics.bootstrap' as integer), 10000) as n_resamples,
        coalesce(try_cast(config ->> '$.statistics.min_episodes' as integer), 20) as min_episodes,
        config_hash,
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
        git_rev,
        versions,
        schema_version,
        status
    from source

)

select * from renamed
