with

changes as (

    select * from {{ ref('int_changes_averaged_to_episodes') }}

),

attended as (

    select * from {{ ref('int_candidates_attended') }}

),

differences as (

    {% for null in ['control', 'noise'] -%}
    select
        run_id,
        question || '_error_above_{{ null }}' as estimand,
        'greater' as alternative,
        null as query,
        question || ':' || candidate as condition_id,
        episode_id,
        above_{{ null }} as value
    from changes

    union all

    {% endfor -%}
    select
        run_id,
        question || '_attention_log_lift' as estimand,
        'two-sided' as alternative,
        'action' as query,
        question || ':' || candidate as condition_id,
        episode_id,
        log_lift as value
    from attended

)

select
    run_id,
    'diagnosis' as hypothesis,
    estimand,
    alternative,
    null::varchar as pass,
    null::integer as denoise_step,
    query,
    null::varchar as rows,
    null::varchar as camera,
    condition_id,
    null::integer as layer,
    false as is_last_prefix_layer,
    episode_id,
    value
from differences
where value is not null
