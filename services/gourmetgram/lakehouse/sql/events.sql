-- Of what has landed, what rows can be made from, so that it is read once: the uploads and the flags of the images, and
-- the views and comments that the windows of an anchor may hold. Of an image that people look at for days these are few.
--
-- landed  all events
-- posts   image_id, uploaded_at (unix microseconds)
SELECT image_id, event_type, occurred_at, is_test, imported, comment_id, "offset"
FROM landed
JOIN posts USING (image_id)
WHERE event_type IN ('upload', 'flag')
   OR (epoch_us(occurred_at) > uploaded_at - $longest AND epoch_us(occurred_at) <= uploaded_at + $last_anchor)
