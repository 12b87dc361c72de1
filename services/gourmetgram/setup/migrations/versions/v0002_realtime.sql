-- How far each topic had been applied when the counts of a decision were frozen: the same counts can be recomputed from
-- the records below these offsets at any later time.
ALTER TABLE moderation ADD COLUMN partition integer, ADD COLUMN offsets jsonb;

-- How many images a user had at an instant is asked with every decision.
CREATE INDEX images_by_user_and_time ON images (user_id, created_at);
DROP INDEX images_by_user;

GRANT SELECT (id) ON images TO stream_consumer;
GRANT INSERT ON image_milestones TO stream_consumer;

GRANT SELECT (id, user_id, caption, category, created_at, deleted_at) ON images TO risk_scoring;
GRANT SELECT (id, created_at) ON users TO risk_scoring;
GRANT SELECT ON scoring_mode, model_versions TO risk_scoring;
GRANT INSERT ON moderation TO risk_scoring;
GRANT SELECT (id, inference_request_id, inference_mode, model_version, served) ON moderation TO risk_scoring;
