with

episodes as (

    select * from {{ ref('int_model_balance_averaged_to_episodes') }}

),

intervals as (

    select * from {{ ref('int_model_balance_bootstrapped') }}

),

averaged as (

    select
        model_family,
        checkpoint_hash,
        denoise_step,
        layer,
        min(checkpoint) as checkpoint,
        max(n_layers) as n_layers,
        max(n_runs)::bigint as n_runs,
        {{ balance_over_episodes() }},
        stddev_samp(log_ratio) as std_log_ratio
    from episodes
    group by all

),

joined as (

    select
        averaged.* exclude (n_layers),
        {{ balance_claimed('averaged.n_layers') }},
        intervals.reason
    from averaged
    left join intervals
        on
            averaged.model_family = intervals.model_family
            and averaged.checkpoint_hash is not distinct from intervals.checkpoint_hash
            and averaged.denoise_step = intervals.denoise_step
            and averaged.layer = intervals.layer

)

select * from joined
