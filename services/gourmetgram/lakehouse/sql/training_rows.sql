-- The facts of each question, and its label: whether a flag follows within the horizon, NULL until that has passed.
-- Sorted, so that the rows of an image lie together.
SELECT facts.*,
       anchor_minutes,
       country,
       CASE WHEN facts.uploaded_at + $horizon <= $complete_until THEN flagged_later.number IS NOT NULL END AS label
FROM facts
JOIN questions USING (number)
JOIN eligible ON eligible.image_id = facts.image_id
LEFT JOIN flagged_later USING (number)
ORDER BY number
