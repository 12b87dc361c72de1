-- A few images by chance, others each time.
SELECT image_id
FROM (SELECT DISTINCT image_id FROM training)
ORDER BY random()
LIMIT $images
