-- The marts as the pages expect them: names and types of every column they may read.
create schema marts;
create table marts.runs (run_id varchar, study varchar, config json, config_hash varchar, policy varchar, model_family varchar,
    checkpoint varchar, checkpoint_hash varchar, n_layers smallint, n_heads smallint, head_dim smallint, dtype varchar,
    attention_impl varchar, device varchar, seed bigint, git_rev varchar, versions json, schema_version integer, status varchar,
    last_worked_at timestamp);
create table marts.episodes (run_id varchar, episode_id varchar, dataset varchar, suite varchar, task_index integer, task varchar,
    instruction varchar, outcome varchar, failure_kind varchar, n_frames integer, n_keyframes integer, source varchar, metadata json,
    failure_family varchar, target varchar, scenario varchar);
create table marts.frames (run_id varchar, episode_id varchar, frame_index integer, "timestamp" double, state double[],
    gripper double, pictures json, masks json, status varchar, reason varchar);
create table marts.conditions (run_id varchar, condition_id varchar, kind varchar, name varchar, prompt_template varchar, params json);
create table marts.objects (run_id varchar, episode_id varchar, frame_index integer, camera varchar, object_index smallint,
    category varchar, role varchar, score float, area_share float, coverage float[], mask_path varchar, mask_source varchar);
create table marts.coverage (run_id varchar, condition_group varchar, n_units bigint, n_done bigint, n_partial bigint, n_failed bigint,
    n_skipped bigint, n_pending bigint, n_planned_inferences bigint, n_inferences bigint, n_ok bigint, n_vacuous bigint, n_nan bigint,
    n_failed_inferences bigint);
create table marts.coverage_reasons (run_id varchar, condition_group varchar, status varchar, reason varchar, n_units bigint);
create table marts.issues_by_reason (run_id varchar, stage varchar, reason varchar, n_issues bigint, example_subject varchar,
    example_detail varchar);
create table marts.issues (run_id varchar, unit varchar, episode_id varchar, stage varchar, subject varchar, reason varchar,
    detail varchar);
create table marts.object_attention_by_episode (run_id varchar, episode_id varchar, outcome varchar, pass varchar,
    denoise_step smallint, layer smallint, query varchar, "rows" varchar, camera varchar, role varchar, against varchar, n_frames bigint,
    n_objects bigint, mass_share double, area_share double, lift double, log_lift double, precision double, recall double, dice double,
    iou_p75 double, iou_p90 double, ap double, pointing_hit double, overlap_ratio_seed double, attention_concentration_seed double,
    iou_seed double, mean_attn_inside_seed double, mean_attn_outside_seed double, is_last_prefix_layer boolean);
create table marts.object_attention_by_layer (run_id varchar, outcome varchar, pass varchar, denoise_step smallint, layer smallint,
    query varchar, "rows" varchar, camera varchar, role varchar, against varchar, n_episodes bigint,
    mean_area_share double, mean_mass_share double, std_mass_share double, mean_lift double, std_lift double, mean_log_lift double, std_log_lift double,
    mean_overlap_ratio_seed double, std_overlap_ratio_seed double, mean_attention_concentration_seed double,
    std_attention_concentration_seed double, mean_iou_seed double, std_iou_seed double, mean_pointing_hit double,
    std_pointing_hit double, label_overlap_seed varchar, label_concentration_seed varchar, label_iou_seed varchar,
    is_last_prefix_layer boolean);
create table marts.modality_balance_by_step (run_id varchar, episode_id varchar, frame_index integer, condition_id varchar,
    denoise_step smallint, layer smallint, visual_mass double, linguistic_mass double, state_mass double, action_mass double,
    other_mass double, letterbox_mass double, visual_fraction double, linguistic_fraction double, ratio double, log_ratio double, density_lift_visual double,
    density_lift_linguistic double, n_visual_tokens bigint, n_text_tokens bigint, n_action_tokens bigint, total_mass double,
    ratio_seed double);
create table marts.modality_balance_by_episode (run_id varchar, episode_id varchar, outcome varchar, task varchar, suite varchar,
    denoise_step smallint, layer smallint, n_frames bigint, n_undefined bigint, visual_mass double, linguistic_mass double,
    state_mass double, action_mass double, other_mass double, letterbox_mass double, density_lift_visual double, density_lift_linguistic double,
    ratio_of_means double, geometric_mean_ratio double,
    mean_ratio_seed double, std_ratio_seed double, median_ratio_seed double, min_ratio_seed double, max_ratio_seed double,
    visual_fraction double, linguistic_fraction double);
create table marts.modality_balance_by_layer (run_id varchar, denoise_step smallint, layer smallint, outcome varchar,
    n_episodes bigint, mean_visual_mass double, mean_linguistic_mass double, mean_state_mass double, mean_action_mass double, mean_other_mass double, mean_letterbox_mass double,
    mean_density_lift_visual double, mean_density_lift_linguistic double, ratio_of_means double, log_ratio double, low double, high double, band varchar, depth_third varchar);
create table marts.modality_balance_by_task (run_id varchar, denoise_step smallint, layer smallint, task varchar, outcome varchar,
    n_episodes bigint, mean_visual_mass double, mean_linguistic_mass double, mean_state_mass double, mean_action_mass double, mean_other_mass double, mean_letterbox_mass double,
    mean_density_lift_visual double, mean_density_lift_linguistic double, ratio_of_means double, log_ratio double, low double, high double, band varchar, depth_third varchar);
create table marts.modality_balance_by_suite (run_id varchar, denoise_step smallint, layer integer, suite varchar,
    n_episodes bigint, mean_visual_mass double, mean_linguistic_mass double, mean_state_mass double, mean_action_mass double, mean_other_mass double,
    mean_letterbox_mass double, mean_density_lift_visual double, mean_density_lift_linguistic double, ratio_of_means double, log_ratio double,
    low double, high double, band varchar, depth_third varchar);
create table marts.prompt_shift_by_episode (run_id varchar, episode_id varchar, outcome varchar, condition_id varchar,
    condition_kind varchar, named_object varchar, is_same_object boolean, pass varchar, denoise_step smallint, layer smallint, query varchar,
    "rows" varchar, camera varchar, n_frames bigint, l2_distance double, correlation double, shift_magnitude double, centroid_shift_px double,
    l2_unit double, total_variation double, jsd double, mass_share_named double, mass_share_named_baseline double,
    mass_gain_named double, is_last_prefix_layer boolean);
create table marts.prompt_shift_by_layer (run_id varchar, outcome varchar, condition_id varchar, condition_kind varchar, pass varchar,
    denoise_step smallint, layer smallint, query varchar, "rows" varchar, camera varchar, n_episodes bigint,
    mean_l2_distance double, std_l2_distance double, mean_correlation double, std_correlation double, mean_centroid_shift_px double,
    std_centroid_shift_px double, mean_jsd double, std_jsd double, mean_total_variation double, std_total_variation double,
    mean_mass_gain_named double, std_mass_gain_named double, mean_shift_magnitude double, std_shift_magnitude double,
    is_last_prefix_layer boolean);
create table marts.action_shift_by_condition (run_id varchar, condition_id varchar, condition_kind varchar, outcome varchar,
    n_episodes bigint, mean_mse double, mean_mse_standardised double, low double, high double);
create table marts.outcome_tests (run_id varchar, family varchar, metric varchar, pass varchar, denoise_step smallint, query varchar,
    "rows" varchar, camera varchar, layer smallint, n_success bigint, n_failure bigint, mean_success double, mean_failure double,
    difference double, student_t_seed double, p_student_seed double, welch_t double, p_welch double, p_mann_whitney double,
    p_permutation double, cohens_d_seed double, cohens_d double, d_low double, d_high double, hedges_g double, g_low double,
    g_high double, cliffs_delta double, delta_low double, delta_high double, p_welch_holm double, p_welch_bh double,
    p_permutation_holm double, p_permutation_bh double, family_size bigint, is_small_n boolean, reason varchar, settings varchar);
create table marts.paired_tests (run_id varchar, hypothesis varchar, family varchar, estimand varchar, pass varchar,
    denoise_step smallint, query varchar, "rows" varchar, camera varchar, condition_id varchar, layer smallint, n_episodes bigint,
    estimate double, low double, high double, p double, p_holm double, p_bh double, family_size bigint, alternative varchar,
    is_small_n boolean, reason varchar, settings varchar);
create table marts.bootstrap_intervals (run_id varchar, family varchar, metric varchar, pass varchar, denoise_step smallint,
    query varchar, "rows" varchar, camera varchar, role varchar, layer smallint, outcome varchar, n bigint, estimate double,
    percentile_low double, percentile_high double, bca_low double, bca_high double, n_resamples bigint, seed bigint, reason varchar);
create table marts.hypothesis_verdicts (run_id varchar, hypothesis varchar, criteria varchar, verdict varchar, question varchar,
    estimate double, low double, high double, p double, estimate_unit varchar, n bigint, family_size bigint, camera varchar,
    because varchar, query varchar);
create table marts.frame_gallery (run_id varchar, episode_id varchar, frame_index integer, camera varchar, condition_id varchar,
    pass varchar, denoise_step smallint, layer smallint, query varchar, "rows" varchar, head smallint, map float[], mass float,
    picture varchar, mask varchar);
create table marts.frame_inferences (run_id varchar, episode_id varchar, frame_index integer, condition_id varchar,
    condition_kind varchar, prompt varchar, actions float[][]);
create table marts.frame_metrics (run_id varchar, episode_id varchar, frame_index integer, camera varchar, pass varchar,
    denoise_step smallint, layer smallint, query varchar, object_index smallint, category varchar, role varchar, mass_share double,
    area_share double, lift double, pointing_hit double, overlap_ratio_seed double);
create table marts.word_attention (run_id varchar, episode_id varchar, layer smallint, word_index smallint, word varchar,
    region varchar, region_kind varchar, n_frames bigint, mass double, is_last_prefix_layer boolean);
create table marts.word_object_attention (run_id varchar, episode_id varchar, outcome varchar, layer smallint, word_index smallint,
    word varchar, names_target boolean, camera varchar, role varchar, n_frames bigint, mass_share double, lift double,
    is_last_prefix_layer boolean);
create table marts.fidelity_by_layer (run_id varchar, layer integer, camera varchar, fill varchar, query varchar,
    is_last_prefix_layer boolean, n_episodes bigint, mean_error_high double, mean_error_control double, mean_fidelity double,
    std_fidelity double, mean_mse_high_seed double, mean_mse_low_seed double, mean_fidelity_seed double, label_seed varchar,
    p_seed double,
    low double, high double, p double, p_holm double, family_size bigint, noise_floor double, deletion_auc double,
    insertion_auc double);
create table marts.region_effects (run_id varchar, region varchar, camera varchar, fill varchar, n_episodes bigint,
    mean_error_region double, mean_error_control double, mean_difference double, low double, high double, p double, p_holm double,
    family_size bigint);
create table marts.knockout_effects (run_id varchar, cut varchar, query varchar, keys varchar, layer integer, n_episodes bigint,
    mean_error_cut double, mean_error_control double, mean_difference double, low double, high double, p double, p_holm double,
    family_size bigint, total_effect double[], total_effect_low double[], total_effect_high double[], n_episodes_total_effect bigint);
create table marts.effects_by_condition (run_id varchar, condition_id varchar, condition_kind varchar, n_episodes bigint,
    mean_mse double, mean_mse_standardised double, std_mse_standardised double, params json, low double, high double);
create table marts.diagnoses (run_id varchar, question varchar, question_in_words varchar, answer varchar, estimate double,
    low double, high double, n_episodes bigint, family_size bigint, rule varchar, because varchar, attention_answer varchar,
    attention_estimate double, attention_low double, attention_high double, attention_because varchar, disagree boolean,
    told varchar);
create table marts.planted_truths (run_id varchar, study varchar, policy varchar, is_planted boolean, question varchar,
    question_in_words varchar, expected varchar, known_by varchar, answer varchar, is_right boolean, estimate double, low double,
    high double, n_episodes bigint, because varchar, attention_answer varchar, attention_because varchar, disagree boolean,
    told varchar);
create table marts.diagnosis_tests (run_id varchar, question varchar, candidate varchar, n_episodes bigint, mean_error double,
    mean_error_noise double, share_of_variance double, stricter_null varchar, estimate double, low double, high double, p double,
    p_holm double, family_size bigint, reading varchar, reason varchar, p_behind double, attention_log_lift double, attention_low double,
    attention_high double, attention_p_holm double, n_episodes_attention bigint);
