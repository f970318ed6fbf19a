-- Can failure be foretold from the first third of an episode: area under the ROC curve of models that did not see it,
-- with attention, and with what task, length and actions alone tell. null_auc is what knowing nothing scores.
-- For example, of the demo: feature_set actions, auc 0.515, low 0.355, high 0.675, null_auc 0.491, p 0.451, gain null,
-- gain_low null, gain_high null, n_features 8, n_success 26, n_failure 26 (1 of 6 rows).
select
    run_id,
    feature_set,
    round(auc, 3) as auc,
    round(low, 3) as low,
    round(high, 3) as high,
    round(null_auc, 3) as null_auc,
    round(p, 3) as p,
    round(gain, 3) as gain,
    round(gain_low, 3) as gain_low,
    round(gain_high, 3) as gain_high,
    n_features,
    n_success,
    n_failure
from marts.failure_prediction
order by run_id asc, auc desc
