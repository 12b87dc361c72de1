-- How many images a user has posted is asked while others are being posted: one that says it is from before may be
-- committed a moment later, or imported days later. So each image says which transaction wrote it, and each decision
-- which transactions it could see; what was not seen can be told at any later time.
ALTER TABLE images ADD COLUMN written_by xid8 NOT NULL DEFAULT pg_current_xact_id();
ALTER TABLE moderation ADD COLUMN seen pg_snapshot;

CREATE OR REPLACE VIEW raw.decisions AS
    SELECT moderation.id, inference_request_id, target_id AS image_id, inference_mode, model_version, policy_version,
           risk_score, recommendation, served, trigger_type, as_of, features, partition, offsets,
           moderation.created_at, images.deleted_at IS NOT NULL AS is_image_deleted,
           (SELECT count(*) FROM images AS others WHERE others.user_id = images.user_id AND others.created_at <= as_of
               AND NOT pg_visible_in_snapshot(others.written_by, seen)) AS posts_unseen
    FROM moderation JOIN images ON images.id = target_id
    WHERE target_type = 'image';
