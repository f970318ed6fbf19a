with

action_effects as (

    select * from {{ ref('stg_raw__action_effects') }}

),

variances as (

    -- Of the whole run: within one episode a dimension may hardly move, and a change of it would outweigh all others.
    select * from {{ ref('int_action_variances') }}

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
