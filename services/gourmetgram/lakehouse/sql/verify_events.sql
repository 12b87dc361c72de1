-- How many events there are, and how many of them from beyond the published offsets.
--
-- events  the published events
-- ends    topic, partition, end_offset: the next offset that was to be read
SELECT count(*) AS events,
       coalesce(sum(CASE WHEN end_offset IS NULL OR "offset" >= end_offset THEN 1 ELSE 0 END), 0)::bigint AS beyond
FROM events
LEFT JOIN ends ON ends.topic = events.topic AND ends.partition = events.partition
