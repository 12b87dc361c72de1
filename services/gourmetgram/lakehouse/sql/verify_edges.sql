-- The deciles of each feature, in the order of the columns; all nine are the same where a feature always is.
SELECT approx_quantile(
    COLUMNS(* EXCLUDE (image_id, anchor_minutes, as_of, label, already_flagged, split_time, country, label_confirmed)),
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
)
FROM older
