-- The questions after whose instant, and within the horizon of the label, somebody flags the image.
--
-- questions  number, image_id, as_of (unix microseconds)
-- eligible   image_id, uploaded_at (unix microseconds)
-- events     what has landed
SELECT DISTINCT number
FROM questions
JOIN eligible USING (image_id)
JOIN events USING (image_id)
WHERE event_type = 'flag'
  AND comment_id IS NULL
  AND NOT is_test
  AND epoch_us(occurred_at) > as_of
  AND epoch_us(occurred_at) <= uploaded_at + $horizon
