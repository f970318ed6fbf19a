with

inferences as (

    select * from {{ ref('stg_raw__inferences') }}
    where
        status = 'ok'
        and answer is not null

),

conditions as (

    select * from {{ ref('stg_raw__conditions') }}
    where kind = 'vqa'

),

answered as (

    -- Case, punctuation and outer spaces do not count.
    select
        inferences.run_id,
        inferences.episode_id,
        inferences.condition_id,
        conditions.name as question,
        trim(regexp_replace(lower(inferences.answer), '[^\w\s]', '', 'g')) as given,
        trim(regexp_replace(lower(inferences.params ->> '$.expected'), '[^\w\s]', '', 'g')) as expected
    from inferences
    inner join conditions
        on
            inferences.run_id = conditions.run_id
            and inferences.condition_id = conditions.condition_id

),

majorities as (

    -- Of answers that are equally frequent the first in the alphabet, whatever the order of the rows.
    select
        run_id,
        condition_id,
        mode(expected order by expected) as expected_mostly
    from answered
    group by all

),

averaged_to_episodes as (

    select
        answered.run_id,
        answered.episode_id,
        answered.condition_id,
        answered.question,
        count(*) as n_answers,
        avg((answered.given = answered.expected)::integer) as accuracy,
        avg((majorities.expected_mostly = answered.expected)::integer) as majority_accuracy
    from answered
    inner join majorities
        on
            answered.run_id = majorities.run_id
            and answered.condition_id = majorities.condition_id
    where answered.expected is not null
    group by all

)

select * from averaged_to_episodes
