-- The facts of each question, and its labels: whether a flag follows within the horizon, NULL until that has passed; and
-- whether moderators confirmed that the image breaks the rules, whenever they did, NULL where none has looked at it.
-- Sorted, so that the rows of an image lie together.
SELECT facts.*,
       anchor_minutes,
       country,
       CASE WHEN facts.uploaded_at + $horizon <= $complete_until THEN flagged_later.number IS NOT NULL END AS label,
       is_confirmed AS label_confirmed
FROM facts
JOIN questions USING (number)
JOIN eligible ON eligible.image_id = facts.image_id
LEFT JOIN flagged_later USING (number)
LEFT JOIN reviewed ON reviewed.image_id = facts.image_id
ORDER BY number
