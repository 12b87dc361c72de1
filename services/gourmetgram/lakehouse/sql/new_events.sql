-- Of the rows read from the topics, those that are to land: each event id once (its first row in the order of reading),
-- none that has landed before, none about an image that was deleted. Sorted, so that an image's rows lie together.
-- `landed` may be a hundred times as long as `read`: only what both have is kept of it.
WITH known AS (
    SELECT event_id
    FROM landed
    WHERE event_id IN (SELECT event_id FROM read)
)
SELECT * EXCLUDE (read_order, copy)
FROM (
    SELECT *, row_number() OVER (PARTITION BY event_id ORDER BY read_order) AS copy
    FROM read
)
WHERE copy = 1
  AND event_id NOT IN (SELECT event_id FROM known)
  AND image_id NOT IN (SELECT image_id FROM deleted)
ORDER BY image_id, occurred_at, event_id
