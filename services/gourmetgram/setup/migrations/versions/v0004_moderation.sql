-- A token that belongs to no user says whose it is in words, so that an action can say who did it.
ALTER TABLE api_tokens ADD COLUMN name text NOT NULL DEFAULT '' CHECK (length(name) <= 64);

-- Nobody has written to this table before. `decision_id` is the newest decision that the moderator had seen: a later and
-- graver one brings the image back into the queue.
ALTER TABLE moderation_actions
    ADD COLUMN image_id    bigint NOT NULL REFERENCES images,
    ADD COLUMN token_id    bigint NOT NULL REFERENCES api_tokens,
    ADD COLUMN decision_id bigint REFERENCES moderation,
    DROP CONSTRAINT moderation_actions_action_check,
    DROP CONSTRAINT moderation_actions_target_type_check,
    ADD CONSTRAINT moderation_actions_action_check
        CHECK (action IN ('confirm', 'reject', 'hide', 'restore', 'delete')),
    ADD CONSTRAINT moderation_actions_target_type_check CHECK (target_type IN ('image', 'comment'));
CREATE INDEX moderation_actions_by_image ON moderation_actions (image_id, id);

-- What the queue looks for first.
CREATE INDEX moderation_not_safe ON moderation (target_id)
    WHERE served AND target_type = 'image' AND recommendation <> 'SAFE';
CREATE INDEX flags_open ON flags (id) WHERE review_status = 'pending';

-- A session lives as long as its token does, and no longer than `expires_at`.
CREATE TABLE moderator_sessions (
    session_hash bytea PRIMARY KEY CHECK (length(session_hash) = 32),
    token_id     bigint NOT NULL REFERENCES api_tokens,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL CHECK (expires_at > created_at)
);

-- Tries that were refused, kept as long as they count.
CREATE TABLE refused_sign_ins (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client     text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX refused_sign_ins_by_client ON refused_sign_ins (client, created_at);

GRANT INSERT ON moderation_actions TO api;
GRANT UPDATE (review_status, resolved_at, moderation_action_id) ON flags TO api;
GRANT SELECT, INSERT, DELETE ON moderator_sessions, refused_sign_ins TO api;
