-- The latest verdict about each image that moderators have looked at.
--
-- reviews  id, image_id, verdict; a later one has a greater id
SELECT image_id, verdict = 'confirmed' AS is_confirmed
FROM (SELECT *, row_number() OVER (PARTITION BY image_id ORDER BY id DESC) AS place FROM reviews)
WHERE place = 1
