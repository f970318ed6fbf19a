with

occlusions as (

    select * from {{ ref('int_occlusions_compared') }}

),

regions as (

    select * from {{ ref('int_regions_compared') }}

),

knockouts as (

    select * from {{ ref('int_knockouts_compared') }}

),

answers as (

    select * from {{ ref('int_answers_averaged_to_episodes') }}

),

differences as (

    select
        run_id,
        'H1' as hypothesis,
        'error_high_minus_control' as estimand,
        'greater' as alternative,
        camera,
        'occlusion:' || fill as condition_id,
        layer,
        is_last_prefix_layer,
        episode_id,
        fidelity as value
    from occlusions

    union all

    select
        run_id,
        'H1' as hypothesis,
        'error_region_minus_control' as estimand,
        'greater' as alternative,
        camera,
        'region:' || region || '.' || fill as condition_id,
        null as layer,
        false as is_last_prefix_layer,
        episode_id,
        difference as value
    from regions

    union all

    select
        run_id,
        'H1k' as hypothesis,
        'error_cut_minus_control' as estimand,
        'greater' as alternative,
        null as camera,
        'knockout:' || cut as condition_id,
        layer,
        false as is_last_prefix_layer,
        episode_id,
        difference as value
    from knockouts

    union all

    select
        run_id,
        'H2.2' as hypothesis,
        'accuracy_minus_majority' as estimand,
        'greater' as alternative,
        null as camera,
        condition_id,
        null as layer,
        false as is_last_prefix_layer,
        episode_id,
        accuracy - majority_accuracy as value
    from answers

)

select
    run_id,
    hypothesis,
    estimand,
    alternative,
    null::varchar as pass,
    null::integer as denoise_step,
    null::varchar as query,
    null::varchar as rows,
    camera,
    condition_id,
    layer,
    is_last_prefix_layer,
    episode_id,
    value
from differences
where value is not null
