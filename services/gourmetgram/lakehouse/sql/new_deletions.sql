-- Deletions that are not written down yet, one row for each image.
SELECT DISTINCT ON (image_id) *
FROM read
WHERE image_id NOT IN (SELECT image_id FROM deleted)
ORDER BY image_id, deleted_at
