{{ config(materialized='table') }}

with

object_attention as (

    select * from {{ ref('object_attention_by_episode') }}
    where rows = 'mean'

),

targets as (

    select * from object_attention
    where
        role = 'target'
        and against = 'own'

),

targets_elsewhere as (

    select * from object_attention
    where
        role = 'target'
        and against = 'other_episode'

),

distractors as (

    select * from object_attention
    where
        role = 'distractor'
        and against = 'own'

),

prompt_shifts as (

    select * from {{ ref('prompt_shift_by_episode') }}
    where rows = 'mean'

),

prompts as (

    select * from prompt_shifts
    where
        condition_kind = 'prompt'
        and not is_same_object

),

paraphrases as (

    select
        run_id,
        episode_id,
        pass,
        denoise_step,
        layer,
        query,
        camera,
        sum(jsd) as jsd,
        count(jsd) as n
    from prompt_shifts
    where condition_kind = 'paraphrase'
    group by all

),

vacuous_paraphrases as (

    select * from {{ ref('int_vacuous_paraphrases_counted') }}

),

action_shifts as (

    select * from {{ ref('int_action_shifts_averaged_to_episodes') }}

),

action_paraphrases as (

    select
        run_id,
        episode_id,
        sum(mse_standardised) as mse_standardised,
        count(mse_standardised) as n
    from action_shifts
    where condition_kind = 'paraphrase'
    group by all

),

roi as (

    select * from {{ ref('int_roi_averaged_to_episodes') }}
    where role = 'target'

),

first_thirds as (

    select * from roi
    where third = 'first'

),

last_thirds as (

    select * from roi
    where third = 'last'

),

slopes_over_action_tokens as (

    -- A single token has no slope; DuckDB calls it NaN.
    select
        run_id,
        episode_id,
        pass,
        denoise_step,
        layer,
        query,
        camera,
        is_last_prefix_layer,
        if(regr_count(mass_share, action_token) > 1, regr_slope(mass_share, action_token), null) as slope
    from roi
    where action_token is not null
    group by all

),

differences as (

    select
        targets.run_id,
        'H1.1' as hypothesis,
        'target_log_lift_minus_other_episode' as estimand,
        'greater' as alternative,
        targets.pass,
        targets.denoise_step,
        targets.query,
        targets.rows,
        targets.camera,
        null::varchar as condition_id,
        targets.layer,
        targets.is_last_prefix_layer,
        targets.episode_id,
        targets.log_lift - targets_elsewhere.log_lift as value
    from targets
    inner join targets_elsewhere
        using (run_id, episode_id, pass, denoise_step, layer, query, camera)

    union all

    select
        targets.run_id,
        'H1.1' as hypothesis,
        'target_minus_distractors' as estimand,
        'greater' as alternative,
        targets.pass,
        targets.denoise_step,
        targets.query,
        targets.rows,
        targets.camera,
        null as condition_id,
        targets.layer,
        targets.is_last_prefix_layer,
        targets.episode_id,
        targets.log_lift - distractors.log_lift as value
    from targets
    inner join distractors
        using (run_id, episode_id, pass, denoise_step, layer, query, camera)

    union all

    select
        run_id,
        'H1.1' as hypothesis,
        'target_lift' as estimand,
        null as alternative,
        pass,
        denoise_step,
        query,
        rows,
        camera,
        null as condition_id,
        layer,
        is_last_prefix_layer,
        episode_id,
        lift as value
    from targets

    union all

    select
        prompts.run_id,
        'H2.1' as hypothesis,
        'jsd_minus_paraphrase' as estimand,
        'greater' as alternative,
        prompts.pass,
        prompts.denoise_step,
        prompts.query,
        prompts.rows,
        prompts.camera,
        prompts.condition_id,
        prompts.layer,
        prompts.is_last_prefix_layer,
        prompts.episode_id,
        prompts.jsd - {{ mean_with_zeros('paraphrases.jsd', 'paraphrases.n', 'vacuous_paraphrases.n') }} as value
    from prompts
    left join paraphrases
        using (run_id, episode_id, pass, denoise_step, layer, query, camera)
    left join vacuous_paraphrases
        using (run_id, episode_id)

    union all

    select
        run_id,
        'H2.1' as hypothesis,
        'mass_gain_named' as estimand,
        'greater' as alternative,
        pass,
        denoise_step,
        query,
        rows,
        camera,
        condition_id,
        layer,
        is_last_prefix_layer,
        episode_id,
        mass_gain_named as value
    from prompts

    union all

    select
        action_shifts.run_id,
        'H2.1' as hypothesis,
        'action_mse_minus_paraphrase' as estimand,
        'greater' as alternative,
        null as pass,
        null as denoise_step,
        null as query,
        null as rows,
        null as camera,
        action_shifts.condition_id,
        null as layer,
        false as is_last_prefix_layer,
        action_shifts.episode_id,
        action_shifts.mse_standardised
        - {{ mean_with_zeros('action_paraphrases.mse_standardised', 'action_paraphrases.n', 'vacuous_paraphrases.n') }}
            as value
    from action_shifts
    left join action_paraphrases
        using (run_id, episode_id)
    left join vacuous_paraphrases
        using (run_id, episode_id)
    where
        action_shifts.condition_kind = 'prompt'
        and not action_shifts.is_same_object

    {% for estimand, column in [
        ('target_share_last_minus_first_third', 'mass_share'),
        ('target_log_lift_last_minus_first_third', 'log_lift'),
    ] -%}
    union all

    select
        last_thirds.run_id,
        'H3' as hypothesis,
        '{{ estimand }}' as estimand,
        'two-sided' as alternative,
        last_thirds.pass,
        last_thirds.denoise_step,
        last_thirds.query,
        'mean' as rows,
        last_thirds.camera,
        null as condition_id,
        last_thirds.layer,
        last_thirds.is_last_prefix_layer,
        last_thirds.episode_id,
        last_thirds.{{ column }} - first_thirds.{{ column }} as value
    from last_thirds
    inner join first_thirds
        using (run_id, episode_id, pass, denoise_step, layer, query, camera)

    {% endfor -%}
    union all

    select
        run_id,
        'H3' as hypothesis,
        'target_share_slope_over_action_tokens' as estimand,
        'two-sided' as alternative,
        pass,
        denoise_step,
        query,
        'mean' as rows,
        camera,
        null as condition_id,
        layer,
        is_last_prefix_layer,
        episode_id,
        slope as value
    from slopes_over_action_tokens

)

select * from differences
where value is not null
union all by name
select * from {{ ref('int_experiment_differences_paired') }}
union all by name
select * from {{ ref('int_diagnosis_differences_paired') }}
