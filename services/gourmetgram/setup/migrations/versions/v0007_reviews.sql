-- What moderators found when they looked at an image, for the second label of training rows: that it breaks the rules, or
-- that nothing is wrong with it. Hiding and showing again judge nothing. Not who it was, and nothing about comments.
-- Verdicts about an image are given one after the other, for its row is locked meanwhile: a later one has a greater id.
CREATE VIEW raw.reviews AS
    SELECT moderation_actions.id, image_id,
           CASE action WHEN 'confirm' THEN 'confirmed' WHEN 'reject' THEN 'rejected' END AS verdict
    FROM moderation_actions JOIN images ON images.id = image_id
    WHERE target_type = 'image' AND action IN ('confirm', 'reject') AND images.deleted_at IS NULL;

GRANT SELECT ON raw.reviews TO lakehouse, student;
