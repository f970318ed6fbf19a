-- Marts of heads, of time and of the comparison of runs, as the pages expect them.
create table marts.head_ranking (run_id varchar, pass varchar, denoise_step smallint, query varchar, camera varchar, layer smallint,
    head smallint, n_episodes bigint, mean_entropy double, mean_entropy_norm double, mean_gini double, mean_effective_rank double,
    mean_participation double, mean_top10_share double, mean_variance double, mean_focus_seed double, n_episodes_with_target bigint,
    mean_target_share double, mean_target_lift double, std_target_lift double, rank_by_focus bigint, rank_by_focus_seed bigint,
    rank_by_target_lift bigint, focus_rank_correlation double, target_lift_rank_correlation double, is_last_prefix_layer boolean);
create table marts.layer_ranking (run_id varchar, measure varchar, pass varchar, denoise_step smallint, query varchar, camera varchar,
    layer smallint, is_last_prefix_layer boolean, n_episodes bigint, mean_value double, std_value double, layer_rank bigint,
    mean_episode_rank double, std_episode_rank double);
create table marts.head_roles (run_id varchar, pass varchar, denoise_step smallint, layer smallint, head smallint, query varchar,
    camera varchar, head_role varchar, threshold decimal(3, 2), n_episodes bigint, mean_value double, share_of_episodes double,
    n_prompts bigint, share_of_prompts double, has_role boolean);
create table marts.head_specialisation (run_id varchar, measure varchar, pass varchar, denoise_step smallint, query varchar,
    camera varchar, layer bigint, share_between_heads double, low double, high double, p double, p_holm double, family_size bigint,
    split_half_correlation double, rank_correlation double, n_episodes bigint, n_heads bigint, is_small_n boolean, reason varchar,
    settings varchar);
create table marts.layer_flow (run_id varchar, outcome varchar, pass varchar, denoise_step smallint, layer smallint, query varchar,
    camera varchar, is_last_prefix_layer boolean, n_episodes bigint, n_steps bigint, lag_keyframes integer, mean_flow double,
    std_flow double, mean_rollout_mass double, std_rollout_mass double, mean_rollout_correlation double,
    std_rollout_correlation double, mean_stability_l2 double, std_stability_l2 double, mean_stability_tv double,
    std_stability_tv double, mean_stability_seed double, std_stability_seed double);
create table marts.roi_over_time (run_id varchar, outcome varchar, pass varchar, denoise_step smallint, layer smallint, query varchar,
    action_token integer, camera varchar, role varchar, third varchar, is_last_prefix_layer boolean, n_episodes bigint,
    mean_mass_share double, std_mass_share double, mean_log_lift double, std_log_lift double);
create table marts.roi_lags (run_id varchar, pass varchar, denoise_step smallint, layer smallint, query varchar, camera varchar,
    role varchar, lag_keyframes integer, is_last_prefix_layer boolean, n_episodes bigint, mean_correlation double,
    std_correlation double);
create table marts.run_comparison (run_id_a varchar, run_id_b varchar, topic varchar, metric varchar, pass varchar,
    denoise_step smallint, query varchar, "rows" varchar, camera varchar, condition_id varchar, layer smallint, mean_a double,
    mean_b double, difference double, low double, high double, n_a bigint, n_b bigint, is_paired boolean, method varchar,
    n_resamples bigint, seed bigint, reason varchar);
create table marts.camera_agreement_by_layer (run_id varchar, outcome varchar, pass varchar, denoise_step smallint, layer smallint,
    query varchar, camera varchar, other_camera varchar, is_last_prefix_layer boolean, n_episodes bigint, n_frames bigint,
    mean_correlation double, mean_other_frame_correlation double, mean_correlation_gain double, mean_n_patches double,
    reason varchar, correlation_low double, correlation_high double, correlation_gain_low double, correlation_gain_high double);
