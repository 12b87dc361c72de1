-- The images whose rows may be learned from.
SELECT *
FROM eligibility
WHERE excluded_by IS NULL
