-- What is known about each image, of those that were deleted only that somebody posted something.
--
-- images, users  a snapshot of the application's tables; `images` has no id where the image was deleted
-- deleted        images that were deleted, also since that snapshot
SELECT CASE WHEN deleted.image_id IS NULL THEN images.id END AS image_id,
       images.user_id,
       epoch_us(images.created_at) AS uploaded_at,
       images.source,
       images.caption_length,
       images.category,
       epoch_us(users.created_at) AS user_created_at,
       users.country_of_residence AS country,
       users.year_of_birth,
       users.is_test_account,
       users.tos_version_accepted,
       epoch_us(users.tos_accepted_at) AS tos_accepted_at
FROM images
JOIN users ON users.id = images.user_id
LEFT JOIN (SELECT DISTINCT image_id FROM deleted) AS deleted ON deleted.image_id = images.id
