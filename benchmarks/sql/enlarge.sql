-- These $copies of the episodes of a small study (schema small.raw), for a model of 18 layers and 8 heads.
-- Copies differ: every mass list is mixed with an even one by a weight that hangs on copy, episode, layer and head.

create temp table copies as select unnest($copies)::integer as copy;

-- Eight layers become eighteen, four heads eight. Means and maxima over heads (below 0) stay what they are.
create temp table layers as
select
    copied.layer::smallint as layer,
    (copied.layer * $n_layers // 18)::smallint as source
from (select unnest(range(18)) as layer) as copied;

create temp table heads as
select
    copied.head::smallint as head,
    (copied.head * $n_heads // 8)::smallint as source
from (select unnest(range(8)) as head) as copied
union all
select
    joined.head::smallint as head,
    joined.head::smallint as source
from (values (-1), (-2)) as joined (head);

create temp macro copied_episode(episode_id, copy) as episode_id || '_' || copy;
create temp macro copied_id(id, copy) as if(copy = 0, id, (hash(id, copy) >> 1)::bigint);
create temp macro weight(id, copy, layer, head) as 0.3 * (hash(id, copy, layer, head) % 1000) / 1000;
create temp macro mixed(masses, share) as list_transform(masses, lambda m: ((1 - share) * m + share / len(masses))::float);

insert into raw.layouts select * from small.raw.layouts;
insert into raw.tokens select * from small.raw.tokens;
insert into raw.regions select * from small.raw.regions;
insert into raw.queries select * from small.raw.queries;

insert into raw.episodes select rows.* replace (copied_episode(rows.episode_id, copies.copy) as episode_id)
from copies, small.raw.episodes as rows;

insert into raw.frames select rows.* replace (copied_episode(rows.episode_id, copies.copy) as episode_id)
from copies, small.raw.frames as rows;

insert into raw.objects select rows.* replace (copied_episode(rows.episode_id, copies.copy) as episode_id)
from copies, small.raw.objects as rows;

insert into raw.units
select
    rows.* replace (
        copied_episode(rows.episode_id, copies.copy) as episode_id,
        if(copies.copy = 0, rows.unit, md5(rows.unit || copies.copy)[:16]) as unit
    )
from copies, small.raw.units as rows;

insert into raw.inferences
select
    rows.* replace (
        copied_episode(rows.episode_id, copies.copy) as episode_id,
        copied_id(rows.inference_id, copies.copy) as inference_id
    )
from copies, small.raw.inferences as rows;

insert into raw.action_effects
select
    rows.* replace (
        copied_id(rows.inference_id, copies.copy) as inference_id,
        copied_id(rows.baseline_id, copies.copy) as baseline_id
    )
from copies, small.raw.action_effects as rows;

insert into raw.attention_masses
select
    rows.* replace (
        copied_id(rows.inference_id, copies.copy) as inference_id,
        layers.layer as layer,
        heads.head as head,
        mixed(rows.masses, weight(rows.inference_id, copies.copy, layers.layer, heads.head)) as masses
    )
from copies, layers, heads, small.raw.attention_masses as rows
where rows.layer = layers.source and rows.head = heads.source;

insert into raw.attention_maps
select
    rows.* replace (
        copied_id(rows.inference_id, copies.copy) as inference_id,
        layers.layer as layer,
        heads.head as head
    )
from copies, layers, heads, small.raw.attention_maps as rows
where rows.layer = layers.source and rows.head = heads.source;

insert into raw.head_focus
select
    rows.* replace (
        copied_id(rows.inference_id, copies.copy) as inference_id,
        layers.layer as layer,
        heads.head as head,
        (rows.entropy_norm * (1 - weight(rows.inference_id, copies.copy, layers.layer, heads.head)))::float as entropy_norm
    )
from copies, layers, heads, small.raw.head_focus as rows
where rows.layer = layers.source and rows.head = heads.source;

insert into raw.object_metrics
select
    rows.* replace (
        copied_id(rows.inference_id, copies.copy) as inference_id,
        layers.layer as layer,
        heads.head as head,
        (rows.log_lift + weight(rows.inference_id, copies.copy, layers.layer, heads.head))::float as log_lift
    )
from copies, layers, heads, small.raw.object_metrics as rows
where rows.layer = layers.source and rows.head = heads.source;

insert into raw.map_shifts
select
    rows.* replace (
        copied_id(rows.inference_id, copies.copy) as inference_id,
        copied_id(rows.baseline_id, copies.copy) as baseline_id,
        layers.layer as layer,
        heads.head as head,
        (rows.jsd * (1 - weight(rows.inference_id, copies.copy, layers.layer, heads.head)))::float as jsd
    )
from copies, layers, heads, small.raw.map_shifts as rows
where rows.layer = layers.source and rows.head = heads.source;

insert into raw.layer_links
select
    rows.* replace (
        copied_id(rows.inference_id, copies.copy) as inference_id,
        layers.layer as layer
    )
from copies, layers, small.raw.layer_links as rows
where rows.layer = layers.source;

insert into raw.camera_links
select
    rows.* replace (
        copied_id(rows.inference_id, copies.copy) as inference_id,
        layers.layer as layer
    )
from copies, layers, small.raw.camera_links as rows
where rows.layer = layers.source;
