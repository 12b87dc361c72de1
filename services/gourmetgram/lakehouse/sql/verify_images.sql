-- Images that are eligible and have no row, and images that have rows and are not eligible.
WITH learned AS (
    SELECT DISTINCT image_id FROM training
)
SELECT (SELECT count(*) FROM eligible) AS eligible,
       (SELECT count(*) FROM eligible WHERE image_id NOT IN (SELECT image_id FROM learned)) AS missing,
       (SELECT count(*) FROM learned WHERE image_id NOT IN (SELECT image_id FROM eligible)) AS extra
