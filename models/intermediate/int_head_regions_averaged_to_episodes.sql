{{ config(materialized='table') }}

with

head_regions as (

    select * from {{ ref('int_head_regions_listed') }}

),

baseline_patches as (

    select
        run_id,
        pass,
        denoise_step,
        layer,
        head,
        query,
        unnest(top_patches) as top_patch
    from head_regions
    where condition_id = 'baseline:baseline'

),

usual_patches as (

    -- The patch that has most of a head's attention most often, over all keyframes of the run.
    select
        run_id,
        pass,
        denoise_step,
        layer,
        head,
        query,
        mode(top_patch order by top_patch) as usual_patch
    from baseline_patches
    group by all

),

averaged_to_episodes as (

    select
        head_regions.run_id,
        head_regions.episode_id,
        head_regions.condition_id,
        head_regions.pass,
        head_regions.denoise_step,
        head_regions.layer,
        head_regions.head,
        head_regions.query,
        head_regions.n_frames,
        head_regions.instruction_mass,
        head_regions.empty_mass,
        head_regions.top_share,
        head_regions.sink_share,
        len(list_filter(
            head_regions.top_patches,
            lambda top_patch: top_patch = usual_patches.usual_patch
        )) / head_regions.n_frames as usual_patch_share
    from head_regions
    inner join usual_patches
        on
            head_regions.run_id = usual_patches.run_id
            and head_regions.pass = usual_patches.pass
            and head_regions.denoise_step = usual_patches.denoise_step
            and head_regions.layer = usual_patches.layer
            and head_regions.head = usual_patches.head
            and head_regions.query = usual_patches.query

)

select * from averaged_to_episodes
