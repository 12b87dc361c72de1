-- The six windows and the total of flags of each question, which is about an image at an instant: offline what the stream
-- consumer counts in Redis. Questions about which nothing had happened have no row.
--
-- questions  number, image_id, as_of (unix microseconds), is_live, and views_before, comments_before, flags_before: only
--            records of that topic below this offset had been seen; NULL where there is no such limit
-- events     what has landed
--
-- A window is (as_of - length, as_of]. Events of test accounts count nowhere, nor do flags on comments. To a live
-- platform an imported event is history, whenever it happened: it counts in the total only. Which ones had been seen the
-- border says; where there is none, their time decides.
WITH happened AS (
    SELECT image_id, event_type, imported, "offset" AS position, epoch_us(occurred_at) AS instant
    FROM events
    WHERE event_type IN ('view', 'comment', 'flag')
      AND NOT is_test
      AND (event_type <> 'flag' OR comment_id IS NULL)
), counted AS (
    SELECT number, event_type, as_of - instant AS age, NOT (imported AND is_live) AS is_recent
    FROM happened
    JOIN questions USING (image_id)
    WHERE (instant <= as_of AND instant > as_of - $longest
           OR event_type = 'flag' AND (instant <= as_of OR imported AND is_live AND flags_before IS NOT NULL))
      AND (event_type <> 'view' OR views_before IS NULL OR position < views_before)
      AND (event_type <> 'comment' OR comments_before IS NULL OR position < comments_before)
      AND (event_type <> 'flag' OR flags_before IS NULL OR position < flags_before)
)
SELECT number,
       sum(CASE WHEN event_type = 'view' AND is_recent AND age < $views_5min THEN 1 ELSE 0 END) AS views_5min,
       sum(CASE WHEN event_type = 'view' AND is_recent AND age < $views_1hr THEN 1 ELSE 0 END) AS views_1hr,
       sum(CASE WHEN event_type = 'comment' AND is_recent AND age < $comments_5min THEN 1 ELSE 0 END) AS comments_5min,
       sum(CASE WHEN event_type = 'comment' AND is_recent AND age < $comments_1hr THEN 1 ELSE 0 END) AS comments_1hr,
       sum(CASE WHEN event_type = 'flag' AND is_recent AND age < $flags_5min THEN 1 ELSE 0 END) AS flags_5min,
       sum(CASE WHEN event_type = 'flag' AND is_recent AND age < $flags_1hr THEN 1 ELSE 0 END) AS flags_1hr,
       sum(CASE WHEN event_type = 'flag' THEN 1 ELSE 0 END) AS total_flags
FROM counted
GROUP BY number
