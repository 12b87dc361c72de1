-- What each decision was about, as two questions: under an even number with the borders that its counts had, and under
-- the odd one after it by event time alone, as if everything had arrived at once.
--
-- decided  the step of this name, only what can be compared
WITH numbered AS (
    SELECT *, row_number() OVER (ORDER BY id) - 1 AS position
    FROM decided
)
SELECT 2 * position AS number,
       image_id,
       as_of,
       true AS is_live,
       views_before,
       comments_before,
       flags_before,
       posts_unseen
FROM numbered
UNION ALL
SELECT 2 * position + 1, image_id, as_of, true, NULL, NULL, NULL, 0
FROM numbered
