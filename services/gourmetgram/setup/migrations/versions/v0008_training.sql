-- Roles are made with the server, once. One that is older than this role cannot be brought up to date.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'trainer') THEN
        RAISE EXCEPTION 'this PostgreSQL was made before there was a role trainer; `./lab reset` makes a new one'
            USING DETAIL = 'It deletes all data of this checkout.';
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO trainer', current_database());
END $$;

-- Rows are only added, so the table is the history. It was the lakehouse that wrote here, as long as it trained.
REVOKE SELECT, INSERT (mode, model_version, changed_by) ON scoring_mode FROM lakehouse;
GRANT SELECT ON scoring_mode TO trainer;
GRANT INSERT (mode, model_version, changed_by) ON scoring_mode TO trainer;
