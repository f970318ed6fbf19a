with

action_effects as (

    select * from {{ ref('stg_raw__action_effects') }}

),

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

    -- Of the whole run: within one episode a dimension may hardly move, and a change of it would outweigh all others.
    select
        run_id,
        dimension,
        var_samp(value) as variance
    from numbers
    group by all

),

errors as (

    select
        run_id,
        inference_id,
        unnest(per_dim) as squared_change,
        generate_subscripts(per_dim, 1) as dimension
    from action_effects

),

standardised as (

    select
        errors.run_id,
        errors.inference_id,
        avg(errors.squared_change / variances.variance) as error
    from errors
    inner join variances
        on
            errors.run_id = variances.run_id
            and errors.dimension = variances.dimension
    where variances.variance > 0
    group by all

)

select * from standardised
