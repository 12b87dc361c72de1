-- The lakehouse reads views and no tables, so what it can take is written here: no free texts, nobody's name, and of an
-- image that was deleted only that its user had posted one.
CREATE SCHEMA raw;

CREATE VIEW raw.users AS
    SELECT id, country_of_residence, year_of_birth, tos_version_accepted, tos_accepted_at, is_test_account, created_at
    FROM users;

CREATE VIEW raw.images AS
    SELECT alive.id, images.user_id, alive.source, length(alive.caption)::bigint AS caption_length, alive.category,
           images.created_at
    FROM images LEFT JOIN images AS alive ON alive.id = images.id AND alive.deleted_at IS NULL;

CREATE VIEW raw.comments AS
    SELECT comments.id, image_id, comments.user_id, length(content)::bigint AS content_length, comments.created_at
    FROM comments JOIN images ON images.id = image_id
    WHERE comments.deleted_at IS NULL AND images.deleted_at IS NULL;

CREATE VIEW raw.flags AS
    SELECT flags.id, flags.user_id, images.id AS image_id, flags.comment_id, review_status, resolved_at, flags.created_at
    FROM flags LEFT JOIN comments ON comments.id = flags.comment_id
    JOIN images ON images.id = coalesce(flags.image_id, comments.image_id)
    WHERE images.deleted_at IS NULL;

CREATE VIEW raw.image_milestones AS
    SELECT image_id, milestone, reached_at
    FROM image_milestones JOIN images ON images.id = image_id
    WHERE deleted_at IS NULL;

-- To compare what was decided with what the history says. `is_image_deleted`: nothing can be compared any more.
CREATE VIEW raw.decisions AS
    SELECT moderation.id, inference_request_id, target_id AS image_id, inference_mode, model_version, policy_version,
           risk_score, recommendation, served, trigger_type, as_of, features, partition, offsets,
           moderation.created_at, images.deleted_at IS NOT NULL AS is_image_deleted
    FROM moderation JOIN images ON images.id = target_id
    WHERE target_type = 'image';

-- What has not reached its topic yet.
CREATE VIEW raw.unpublished AS SELECT min(created_at) AS oldest FROM outbox;

DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO lakehouse', current_database()); END $$;
GRANT USAGE ON SCHEMA raw TO lakehouse;
GRANT SELECT ON ALL TABLES IN SCHEMA raw TO lakehouse;
GRANT USAGE ON SCHEMA raw TO student;
GRANT SELECT ON ALL TABLES IN SCHEMA raw TO student;
