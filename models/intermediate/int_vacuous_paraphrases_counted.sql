with

inferences as (

    select * from {{ ref('stg_raw__inferences') }}

),

conditions as (

    select * from {{ ref('stg_raw__conditions') }}

),

-- A paraphrase that gives the model the baseline's own tokens changes nothing: it was not run, and its shift is 0.
counted as (

    select
        inferences.run_id,
        inferences.episode_id,
        count(distinct inferences.condition_id) as n
    from inferences
    inner join conditions
        on
            inferences.run_id = conditions.run_id
            and inferences.condition_id = conditions.condition_id
    where
        conditions.kind = 'paraphrase'
        and inferences.status = 'vacuous'
        and inferences.noise_index = 0
    group by all

)

select * from counted
