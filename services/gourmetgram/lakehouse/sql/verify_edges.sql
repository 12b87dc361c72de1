-- The deciles of each feature in the older rows; all nine are the same where a feature always is.
SELECT feature,
       edges[1] AS edge_1,
       edges[2] AS edge_2,
       edges[3] AS edge_3,
       edges[4] AS edge_4,
       edges[5] AS edge_5,
       edges[6] AS edge_6,
       edges[7] AS edge_7,
       edges[8] AS edge_8,
       edges[9] AS edge_9
FROM (
    SELECT feature, approx_quantile(number, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) AS edges
    FROM (
        UNPIVOT (
            SELECT * EXCLUDE (image_id, anchor_minutes, as_of, label, already_flagged, split_time, country) FROM older
        ) ON COLUMNS(*) INTO NAME feature VALUE number
    )
    GROUP BY feature
)
