with

source as (

    select
        *,
        {{ row_number_of('object_metrics') }} as row_number
    from {{ source('raw', 'object_metrics') }}

),

renamed as (

    select
        run_id,
        inference_id,
        pass,
        denoise_step,
        layer,
        head,
        query_index,
        rows,
        camera,
        object_index,
        against,
        mass_share::double as mass_share,
        area_share::double as area_share,
        lift::double as lift,
        log_lift::double as log_lift,
        precision::double as precision,
        recall::double as recall,
        dice::double as dice,
        iou_p75::double as iou_p75,
        iou_p90::double as iou_p90,
        ap::double as ap,
        pointing_hit::double as pointing_hit,
        overlap_ratio_seed::double as overlap_ratio_seed,
        attention_concentration_seed::double as attention_concentration_seed,
        iou_seed::double as iou_seed,
        mean_attn_inside_seed::double as mean_attn_inside_seed,
        mean_attn_outside_seed::double as mean_attn_outside_seed,
        reason,
        row_number
    from source

)

select * from renamed
