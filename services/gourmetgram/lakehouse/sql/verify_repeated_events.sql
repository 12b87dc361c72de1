-- How many event ids, and how many places in the topics, are there more than once.
WITH ids AS (
    SELECT event_id FROM events GROUP BY event_id HAVING count(*) > 1
), places AS (
    SELECT topic, partition, "offset" FROM events GROUP BY topic, partition, "offset" HAVING count(*) > 1
)
SELECT (SELECT count(*) FROM ids) AS ids, (SELECT count(*) FROM places) AS places
