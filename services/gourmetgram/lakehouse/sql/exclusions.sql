-- How many images each rule excludes as the first one that applies; excluded_by is NULL for those that are kept.
SELECT excluded_by, count(*) AS images
FROM eligibility
GROUP BY excluded_by
