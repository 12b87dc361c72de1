-- What the features of each question are computed from; a row for every question about an image that there is.
--
-- questions     number, image_id, as_of (unix microseconds)
-- posts         what is known about the images
-- posts_before, window_counts  the steps of these names
SELECT number,
       image_id,
       as_of,
       uploaded_at,
       coalesce(views_5min, 0)::bigint AS views_5min,
       coalesce(views_1hr, 0)::bigint AS views_1hr,
       coalesce(comments_5min, 0)::bigint AS comments_5min,
       coalesce(comments_1hr, 0)::bigint AS comments_1hr,
       coalesce(flags_5min, 0)::bigint AS flags_5min,
       coalesce(flags_1hr, 0)::bigint AS flags_1hr,
       coalesce(total_flags, 0)::bigint AS total_flags,
       caption_length::bigint AS caption_length,
       category,
       user_image_count::bigint AS user_image_count,
       user_created_at
FROM questions
JOIN posts USING (image_id)
JOIN posts_before USING (number)
LEFT JOIN window_counts USING (number)
