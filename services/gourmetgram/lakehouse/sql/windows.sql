-- Five-minute tiles of one kind of event, [start, end). Events of test accounts count nowhere, nor do flags on comments.
-- `events` is an Arrow dataset of the days in question; times are unix microseconds, so that no rounding moves an edge.
WITH counted AS (
    SELECT image_id, epoch_us(occurred_at) // $length * $length AS start
    FROM events
    WHERE event_type = $kind
      AND NOT is_test
      AND (event_type <> 'flag' OR comment_id IS NULL)
)
SELECT image_id,
       make_timestamptz(start) AS window_start,
       make_timestamptz(start + $length) AS window_end,
       count(*) AS event_count
FROM counted
GROUP BY image_id, start
ORDER BY image_id, start
