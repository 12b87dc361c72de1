-- Every image about which all has landed up to its upload, and the first rule that keeps it out of the training data;
-- NULL for those that are in.
--
-- posts   what is known about the images
-- events  what has landed
SELECT *,
       CASE
           {{ rules }}
       END AS excluded_by
FROM (
    SELECT posts.*, uploads.image_id IS NOT NULL AS has_upload_event
    FROM posts
    LEFT JOIN (SELECT DISTINCT image_id FROM events WHERE event_type = 'upload') AS uploads USING (image_id)
)
WHERE uploaded_at <= $complete_until
