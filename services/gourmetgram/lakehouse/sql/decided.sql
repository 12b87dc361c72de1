-- Decisions with how far each topic had been applied when their counts were frozen, and why one of them cannot be
-- compared with the history; NULL if it can.
--
-- decisions   id, image_id, trigger_type, as_of, features and offsets (JSON), partition, is_image_deleted, posts_unseen
-- images      id, created_at
-- deleted     images that were deleted, also since that snapshot
-- partitions  partition, and of the history views_end, comments_end, flags_end: the next offset of each topic; lost_until:
--             when somebody accepted that records of one of them are lost, or that it was made anew
WITH frozen AS (
    SELECT *,
           json_extract_string(offsets, $views)::bigint AS views_before,
           json_extract_string(offsets, $comments)::bigint AS comments_before,
           json_extract_string(offsets, $flags)::bigint AS flags_before
    FROM decisions
)
SELECT frozen.id,
       frozen.image_id,
       trigger_type,
       epoch_us(as_of) AS as_of,
       features,
       views_before,
       comments_before,
       flags_before,
       posts_unseen,
       CASE
           WHEN is_image_deleted OR deleted.image_id IS NOT NULL THEN 'image_deleted'
           WHEN views_before IS NULL OR comments_before IS NULL OR flags_before IS NULL THEN 'no_offsets'
           WHEN views_before > coalesce(views_end, 0)
                OR comments_before > coalesce(comments_end, 0)
                OR flags_before > coalesce(flags_end, 0) THEN 'not_landed'
           WHEN images.created_at <= lost_until THEN 'records_lost'
       END AS skipped
FROM frozen
LEFT JOIN images ON images.id = frozen.image_id
LEFT JOIN (SELECT DISTINCT image_id FROM deleted) AS deleted ON deleted.image_id = frozen.image_id
LEFT JOIN partitions USING (partition)
ORDER BY frozen.id
