-- The facts of all questions, in their order.
SELECT *
FROM facts
ORDER BY number
