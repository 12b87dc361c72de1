-- Rows of the training data, and how many there should be: of each image one for each anchor that had passed when all
-- had landed.
--
-- training  the training data
-- anchors   anchor_minutes
WITH per_image AS (
    SELECT image_id,
           count(*) AS found,
           count(DISTINCT anchor_minutes) AS anchors,
           min(epoch_us(split_time)) AS uploaded_at
    FROM training
    GROUP BY image_id
), passed AS (
    SELECT image_id, count(*) AS expected
    FROM per_image
    CROSS JOIN anchors
    WHERE uploaded_at + anchor_minutes * $minute <= $complete_until
    GROUP BY image_id
)
SELECT count(*) AS images,
       coalesce(sum(found), 0)::bigint AS found,
       coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(found - anchors), 0)::bigint AS repeated,
       coalesce(sum(CASE WHEN anchors = expected THEN 0 ELSE 1 END), 0)::bigint AS wrong
FROM per_image
LEFT JOIN passed USING (image_id)
