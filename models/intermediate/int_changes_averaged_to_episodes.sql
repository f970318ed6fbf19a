with

errors as (

    select * from {{ ref('int_action_errors_standardised') }}

),

pairs as (

    select * from {{ ref('int_prompts_paired_with_baselines') }}

),

vacuous_paraphrases as (

    select * from {{ ref('int_vacuous_paraphrases_counted') }}

),

effects as (

    select
        effects.*,
        errors.error
    from {{ ref('int_experiment_effects') }} as effects
    inner join errors
        on
            effects.run_id = errors.run_id
            and effects.inference_id = errors.inference_id

),

names as (

    select * from {{ ref('int_regions_named') }}

),

cuts as (

    select * from {{ ref('int_attention_cuts_named') }}

),

noises as (

    select
        run_id,
        episode_id,
        avg(error) as error_noise
    from effects
    where condition_kind = 'noise'
    group by all

),

prompts as (

    select
        pairs.run_id,
        pairs.episode_id,
        pairs.condition_id,
        pairs.condition_kind,
        avg(errors.error) as error
    from pairs
    inner join errors
        on
            pairs.run_id = errors.run_id
            and pairs.inference_id = errors.inference_id
    where
        pairs.condition_kind = 'paraphrase'
        or not pairs.is_same_object
    group by all

),

prompted as (

    select
        run_id,
        episode_id,
        avg(error) filter (where condition_kind = 'prompt') as error,
        sum(error) filter (where condition_kind = 'paraphrase') as error_paraphrases,
        count(*) filter (where condition_kind = 'paraphrase') as n_paraphrases
    from prompts
    group by all

),

frames as (

    select
        effects.run_id,
        effects.episode_id,
        effects.frame_index,
        effects.noise_index,
        effects.region,
        effects.camera,
        effects.fill,
        any_value(names.object) as object,
        any_value(names.camera) as whole_camera,
        any_value(names.is_whole_picture) as is_whole_picture,
        avg(effects.error) filter (where effects.arm = 'region') as error,
        avg(effects.error) filter (where effects.arm = 'region_control') as error_control
    from effects
    inner join names
        on
            effects.run_id = names.run_id
            and effects.region = names.region
    group by all

),

cut_frames as (

    select
        effects.run_id,
        effects.episode_id,
        effects.frame_index,
        effects.noise_index,
        cuts.question,
        cuts.candidate,
        effects.cut,
        avg(effects.error) filter (where effects.arm = 'cut') as error,
        avg(effects.error) filter (where effects.arm = 'control') as error_control
    from effects
    inner join cuts
        on
            effects.run_id = cuts.run_id
            and effects.cut = cuts.cut
    where effects.condition_kind = 'knockout'
    group by all

),

changes as (

    select
        prompted.run_id,
        prompted.episode_id,
        'prompt' as question,
        'prompt' as candidate,
        prompted.error,
        prompted.error
        - {{ mean_with_zeros('prompted.error_paraphrases', 'prompted.n_paraphrases', 'vacuous_paraphrases.n') }}
            as above_control
    from prompted
    left join vacuous_paraphrases
        using (run_id, episode_id)

    union all

    -- A whole picture has no elsewhere: it is held against the noise alone.
    select
        run_id,
        episode_id,
        'camera' as question,
        whole_camera as candidate,
        avg(error) as error,
        null as above_control
    from frames
    where is_whole_picture
    group by all

    union all

    select
        run_id,
        episode_id,
        'object' as question,
        object as candidate,
        avg(error) as error,
        avg(error - error_control) as above_control
    from frames
    where object is not null
    group by all

    union all

    select
        run_id,
        episode_id,
        question,
        candidate,
        avg(error) as error,
        avg(error - error_control) as above_control
    from cut_frames
    group by all

),

compared as (

    select
        changes.run_id,
        changes.episode_id,
        changes.question,
        changes.candidate,
        changes.error,
        changes.above_control,
        noises.error_noise,
        changes.error - {{ relevant_part_of_noise() }} * noises.error_noise as above_noise
    from changes
    left join noises
        on
            changes.run_id = noises.run_id
            and changes.episode_id = noises.episode_id

)

select * from compared
where error is not null
