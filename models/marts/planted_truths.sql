with

truths as (

    select * from {{ ref('known_truths') }}

),

runs as (

    select * from {{ ref('runs') }}

),

diagnoses as (

    select * from {{ ref('diagnoses') }}

),

compared as (

    select
        runs.run_id,
        runs.study,
        truths.policy,
        truths.is_planted,
        truths.question,
        diagnoses.question_in_words,
        truths.expected,
        truths.known_by,
        diagnoses.answer,
        case
            when diagnoses.answer not in ('insufficient data', 'not applicable')
                then diagnoses.answer = truths.expected
        end as is_right,
        diagnoses.estimate,
        diagnoses.low,
        diagnoses.high,
        diagnoses.n_episodes,
        diagnoses.because,
        diagnoses.attention_answer,
        diagnoses.attention_because,
        diagnoses.disagree,
        diagnoses.told
    from runs
    inner join truths
        on runs.checkpoint_hash = truths.checkpoint_hash
    inner join diagnoses
        on
            runs.run_id = diagnoses.run_id
            and truths.question = diagnoses.question

)

select * from compared
