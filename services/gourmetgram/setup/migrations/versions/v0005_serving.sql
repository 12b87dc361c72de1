-- The scorer writes down which models it has loaded, and when last.
GRANT INSERT ON model_versions TO risk_scoring;
GRANT UPDATE (loaded_at) ON model_versions TO risk_scoring;

-- Who trains and deploys models also says whether they count. Rows are only added, so the table is the history.
GRANT SELECT ON scoring_mode TO lakehouse;
GRANT INSERT (mode, model_version, changed_by) ON scoring_mode TO lakehouse;
