-- How many images the uploader of each question's image had posted up to the instant, this one and those deleted later
-- among them: the questions are threaded into the user's posts, and what comes before is summed up.
--
-- questions  number, image_id, as_of (unix microseconds), posts_unseen: so many of these had not been committed when the
--            question was asked; 0 where that does not matter
-- posts      image_id (NULL for an image that was deleted), user_id, uploaded_at (unix microseconds)
WITH timeline AS (
    SELECT user_id, uploaded_at AS instant, 1 AS is_post, NULL AS number, NULL AS posts_unseen
    FROM posts
    UNION ALL
    SELECT user_id, as_of, 0, number, posts_unseen
    FROM questions
    JOIN posts USING (image_id)
), running AS (
    -- Rows of the same instant are summed up together, so a post at the very instant counts.
    SELECT number, sum(is_post) OVER (PARTITION BY user_id ORDER BY instant) - posts_unseen AS user_image_count
    FROM timeline
)
SELECT number, user_image_count
FROM running
WHERE number IS NOT NULL
