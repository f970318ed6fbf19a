with

source as (

    select * from {{ source('raw', 'conditions') }}

),

renamed as (

    select
        run_id,
        condition_id,
        kind,
        case
            when kind in ('prompt', 'paraphrase') then kind || 's'
            when kind = 'noise' then 'repeats'
            else kind
        end as condition_group,
        name,
        prompt_template,
        params
    from source

)

select * from renamed
