with

source as (

    select
        *,
        {{ row_number_of('map_shifts') }} as row_number
    from {{ source('raw', 'map_shifts') }}

),

renamed as (

    select
        run_id,
        inference_id,
        baseline_id,
        pass,
        denoise_step,
        layer,
        head,
        query_index,
        rows,
        camera,
        mean_diff::double as mean_diff,
        abs_mean_diff::double as abs_mean_diff,
        max_increase::double as max_increase,
        max_decrease::double as max_decrease,
        l2_distance::double as l2_distance,
        correlation::double as correlation,
        shift_magnitude::double as shift_magnitude,
        centroid_shift_px::double as centroid_shift_px,
        l2_unit::double as l2_unit,
        total_variation::double as total_variation,
        jsd::double as jsd,
        row_number
    from source

)

select * from renamed
