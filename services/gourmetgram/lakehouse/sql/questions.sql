-- The instants at which each eligible image is looked at: its anchors, as far as everything up to them has landed.
--
-- eligible  image_id, uploaded_at (unix microseconds)
-- anchors   anchor_minutes
SELECT row_number() OVER (ORDER BY image_id, anchor_minutes) AS number,
       image_id,
       anchor_minutes,
       uploaded_at + anchor_minutes * $minute AS as_of,
       false AS is_live,
       NULL AS views_before,
       NULL AS comments_before,
       NULL AS flags_before,
       0 AS posts_unseen
FROM eligible
CROSS JOIN anchors
WHERE uploaded_at + anchor_minutes * $minute <= $complete_until
