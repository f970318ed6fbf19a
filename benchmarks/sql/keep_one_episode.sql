-- Leaves of a small study what one of its episodes wrote; what the whole run shares is in the warehouse already.
delete from raw.runs;
delete from raw.conditions;
delete from raw.layouts;
delete from raw.tokens;
delete from raw.regions;
delete from raw.queries;
delete from raw.units where episode_id != (select min(episode_id) from raw.episodes);
delete from raw.frames where episode_id != (select min(episode_id) from raw.episodes);
delete from raw.objects where episode_id != (select min(episode_id) from raw.episodes);
delete from raw.inferences where episode_id != (select min(episode_id) from raw.episodes);
delete from raw.episodes where episode_id != (select min(episode_id) from raw.episodes);
delete from raw.action_effects where inference_id not in (select inference_id from raw.inferences);
delete from raw.attention_masses where inference_id not in (select inference_id from raw.inferences);
delete from raw.attention_maps where inference_id not in (select inference_id from raw.inferences);
delete from raw.head_focus where inference_id not in (select inference_id from raw.inferences);
delete from raw.object_metrics where inference_id not in (select inference_id from raw.inferences);
delete from raw.map_shifts where inference_id not in (select inference_id from raw.inferences);
delete from raw.layer_links where inference_id not in (select inference_id from raw.inferences);
