-- How many values of each feature are in each bin, before and now. An edge is a bin of its own, and so is what lies between
-- two of them or beyond: most features are counts, and most of these are 0.
--
-- verify_edges  the step of this name
-- older, newer  training data
WITH both_times AS (
    SELECT false AS is_newer, * EXCLUDE (image_id, anchor_minutes, as_of, label, already_flagged, split_time, country)
    FROM older
    UNION ALL
    SELECT true, * EXCLUDE (image_id, anchor_minutes, as_of, label, already_flagged, split_time, country)
    FROM newer
), long AS (
    UNPIVOT both_times ON COLUMNS(* EXCLUDE (is_newer)) INTO NAME feature VALUE number
)
SELECT feature,
       is_newer,
       CASE WHEN number > edge_1 THEN 2 ELSE 0 END
       + CASE WHEN number > edge_2 THEN 2 ELSE 0 END
       + CASE WHEN number > edge_3 THEN 2 ELSE 0 END
       + CASE WHEN number > edge_4 THEN 2 ELSE 0 END
       + CASE WHEN number > edge_5 THEN 2 ELSE 0 END
       + CASE WHEN number > edge_6 THEN 2 ELSE 0 END
       + CASE WHEN number > edge_7 THEN 2 ELSE 0 END
       + CASE WHEN number > edge_8 THEN 2 ELSE 0 END
       + CASE WHEN number > edge_9 THEN 2 ELSE 0 END
       + CASE
             WHEN number IN (edge_1, edge_2, edge_3, edge_4, edge_5, edge_6, edge_7, edge_8, edge_9) THEN 1
             ELSE 0
         END AS bin,
       count(*) AS "values"
FROM long
JOIN verify_edges USING (feature)
GROUP BY feature, is_newer, bin
