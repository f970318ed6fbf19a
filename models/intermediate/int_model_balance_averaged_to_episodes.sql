{%- set modalities = ['visual', 'linguistic', 'state', 'action', 'other'] -%}

with

balance as (

    select * from {{ ref('modality_balance_by_episode') }}

),

episodes as (

    select * from {{ ref('stg_raw__episodes') }}

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

averaged as (

    -- An episode that several runs of a model hold counts once.
    select
        runs.model_family,
        runs.checkpoint_hash,
        episodes.dataset,
        balance.episode_id,
        balance.denoise_step,
        balance.layer,
        min(runs.checkpoint) as checkpoint,
        max(runs.n_layers) as n_layers,
        max(runs.n_resamples) as n_resamples,
        count(*) as n_runs,
        sum(balance.n_undefined)::bigint as n_undefined,
        {% for modality in modalities + ['letterbox', 'cross_text', 'cross_pad'] -%}
            avg(balance.{{ modality }}_mass) as {{ modality }}_mass,
        {% endfor -%}
        avg(balance.density_lift_visual) as density_lift_visual,
        avg(balance.density_lift_linguistic) as density_lift_linguistic,
        avg(balance.mean_ratio_seed) as mean_ratio_seed,
        avg(balance.log_ratio) as log_ratio
    from balance
    inner join runs
        on balance.run_id = runs.run_id
    inner join episodes
        on
            balance.run_id = episodes.run_id
            and balance.episode_id = episodes.episode_id
    group by all

)

select * from averaged
