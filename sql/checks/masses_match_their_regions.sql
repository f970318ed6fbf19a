-- One mass a partition region of the inference's layout, or else masses are read under the wrong names.
with

regions as (

    select
        run_id,
        layout_id,
        pass,
        count(*) as n_regions
    from {{ ref('stg_raw__regions') }}
    where is_partition
    group by all

),

lengths as (

    select distinct
        run_id,
        inference_id,
        pass,
        len(masses) as n_masses
    from {{ changed_rows('attention_masses') }}

)

select
    lengths.*,
    regions.n_regions
from lengths
inner join {{ ref('stg_raw__inferences') }} as inferences
    on
        lengths.run_id = inferences.run_id
        and lengths.inference_id = inferences.inference_id
left join regions
    on
        inferences.run_id = regions.run_id
        and inferences.layout_id = regions.layout_id
        and lengths.pass = regions.pass
where lengths.n_masses is distinct from regions.n_regions
