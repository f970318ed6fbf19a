with

regions as (

    select * from {{ ref('stg_raw__regions') }}

),

listed as (

    -- Indicator lists in the order of attention_masses.masses: their dot product with the masses is a modality's mass.
    select
        run_id,
        layout_id,
        pass,
        list((kind = 'visual')::double order by region_index) as visual_regions,
        list((kind = 'visual' and starts_with(name, 'letterbox:'))::double order by region_index)
            as letterbox_regions,
        list((kind = 'linguistic')::double order by region_index) as linguistic_regions,
        list((kind = 'state')::double order by region_index) as state_regions,
        list((kind = 'action')::double order by region_index) as action_regions,
        list((kind not in ('visual', 'linguistic', 'state', 'action'))::double order by region_index) as other_regions,
        list((kind in ('linguistic', 'state', 'pad'))::double order by region_index) as text_regions_seed,
        list((name = 'instruction')::double order by region_index) as instruction_regions,
        list((name = 'bos' or kind = 'pad' or starts_with(name, 'letterbox:'))::double order by region_index)
            as empty_regions,
        coalesce(sum(n_keys) filter (where kind = 'visual'), 0) as n_visual_tokens,
        coalesce(sum(n_keys) filter (where kind = 'linguistic'), 0) as n_text_tokens,
        coalesce(sum(n_keys) filter (where kind = 'action'), 0) as n_action_tokens,
        coalesce(sum(n_keys) filter (where kind != 'pad'), 0) as n_tokens
    from regions
    where is_partition
    group by all

)

select * from listed
