with

issues as (

    select * from {{ ref('stg_raw__issues') }}

),

counted as (

    select
        run_id,
        stage,
        reason,
        count(*) as n_issues,
        min_by(subject, (episode_id, subject, detail)) as example_subject,
        min_by(detail, (episode_id, subject, detail)) as example_detail
    from issues
    group by all

)

select * from counted
