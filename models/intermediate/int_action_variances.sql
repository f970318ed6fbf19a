with

inferences as (

    select * from {{ ref('int_inferences_selected') }}
    where is_baseline

),

actions as (

    select
        run_id,
        inference_id,
        actions
    from {{ ref('stg_raw__inferences') }}
    where actions is not null

),

steps as (

    select
        inferences.run_id,
        unnest(actions.actions) as step
    from inferences
    inner join actions
        on
            inferences.run_id = actions.run_id
            and inferences.inference_id = actions.inference_id

),

numbers as (

    select
        run_id,
        unnest(step)::double as value,
        generate_subscripts(step, 1) as dimension
    from steps

),

variances as (

    select
        run_id,
        dimension,
        var_samp(value) as variance
    from numbers
    group by all

)

select * from variances
