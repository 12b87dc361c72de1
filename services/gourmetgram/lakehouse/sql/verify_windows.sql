-- For each day what the windows of a kind sum up to, and how many events they should have counted.
-- Events of test accounts count nowhere, nor do flags on comments.
--
-- windows  window_start, event_count, of this kind
-- events   what has landed
WITH counted AS (
    SELECT epoch_us(window_start) // $day AS day, sum(event_count) AS in_windows
    FROM windows
    GROUP BY day
), happened AS (
    SELECT epoch_us(occurred_at) // $day AS day, count(*) AS in_events
    FROM events
    WHERE event_type = $kind
      AND NOT is_test
      AND (event_type <> 'flag' OR comment_id IS NULL)
    GROUP BY day
)
SELECT day, coalesce(in_windows, 0)::bigint AS in_windows, coalesce(in_events, 0)::bigint AS in_events
FROM counted
FULL JOIN happened USING (day)
ORDER BY day
