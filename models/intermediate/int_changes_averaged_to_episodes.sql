with

action_shifts as (

    select * from {{ ref('int_action_shifts_averaged_to_episodes') }}

),

vacuous_paraphrases as (

    select * from {{ ref('int_vacuous_paraphrases_counted') }}

),

regions as (

    select * from {{ ref('int_regions_compared') }}

),

names as (

    select * from {{ ref('int_regions_named') }}

),

noises as (

    select
        run_id,
        episode_id,
        avg(mse_standardised) as error_noise
    from {{ ref('int_experiments_averaged_to_episodes') }}
    where condition_kind = 'noise'
    group by all

),

prompts as (

    select
        run_id,
        episode_id,
        avg(mse_standardised) as error
    from action_shifts
    where
        condition_kind = 'prompt'
        and not is_same_object
    group by all

),

paraphrases as (

    select
        run_id,
        episode_id,
        sum(mse_standardised) as error,
        count(mse_standardised) as n
    from action_shifts
    where condition_kind = 'paraphrase'
    group by all

),

changes as (

    select
        prompts.run_id,
        prompts.episode_id,
        'prompt' as question,
        'prompt' as candidate,
        prompts.error,
        prompts.error
        - {{ mean_with_zeros('paraphrases.error', 'paraphrases.n', 'vacuous_paraphrases.n') }} as above_control
    from prompts
    left join paraphrases
        using (run_id, episode_id)
    left join vacuous_paraphrases
        using (run_id, episode_id)

    union all

    -- A whole picture has no elsewhere: it is held against the noise alone.
    select
        regions.run_id,
        regions.episode_id,
        'camera' as question,
        names.camera as candidate,
        avg(regions.error_region) as error,
        null as above_control
    from regions
    inner join names
        on
            regions.run_id = names.run_id
            and regions.region = names.region
    where names.is_whole_picture
    group by all

    union all

    select
        regions.run_id,
        regions.episode_id,
        'object' as question,
        names.object as candidate,
        avg(regions.error_region) as error,
        avg(regions.difference) as above_control
    from regions
    inner join names
        on
            regions.run_id = names.run_id
            and regions.region = names.region
    where names.object is not null
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
