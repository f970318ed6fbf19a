with

regions as (

    select * from {{ ref('stg_raw__regions') }}
    where pass = 'denoise'

),

queries as (

    select * from {{ ref('stg_raw__queries') }}
    where pass = 'denoise'

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

numbered as (

    -- Region k is frame k; current pictures come before the action, predicted ones behind it.
    select
        run_id,
        layout_id,
        region_index as frame,
        replace(name, 'image:', '') as own_name,
        kind = 'visual'
        and region_index
        < min(region_index) filter (where kind = 'action') over (partition by run_id, layout_id) as is_current_picture
    from regions

),

frame_names as (

    select
        run_id,
        layout_id,
        own_name as frame_name,
        frame
    from numbered
    union all
    select
        run_id,
        layout_id,
        'frame' || frame as frame_name,
        frame
    from numbered
    union all
    select
        run_id,
        layout_id,
        'curr_last' as frame_name,
        max(frame) filter (where is_current_picture) as frame
    from numbered
    group by all

),

asked as (

    select
        run_id,
        coalesce(config ->> '$.policy.options.query_frame', 'action') as query_frame,
        coalesce(config ->> '$.policy.options.visual_frame', 'curr_last') as visual_frame,
        coalesce(config ->> '$.policy.options.text_frame', 'frame0') as text_frame
    from runs

),

chosen as (

    select
        asked.run_id,
        queries.layout_id,
        queries.query_index,
        queries.n_rows,
        visual.frame as visual_frame,
        text.frame as text_frame
    from asked
    inner join frame_names as query
        on
            asked.run_id = query.run_id
            and asked.query_frame = query.frame_name
    inner join frame_names as visual
        on
            query.run_id = visual.run_id
            and query.layout_id = visual.layout_id
            and asked.visual_frame = visual.frame_name
    inner join frame_names as text
        on
            query.run_id = text.run_id
            and query.layout_id = text.layout_id
            and asked.text_frame = text.frame_name
    inner join numbered as query_frame
        on
            query.run_id = query_frame.run_id
            and query.layout_id = query_frame.layout_id
            and query.frame = query_frame.frame
    inner join queries
        on
            query.run_id = queries.run_id
            and query.layout_id = queries.layout_id
            and queries.name = if(query_frame.own_name = 'action', 'action', 'frame:' || query.frame)

)

select * from chosen
