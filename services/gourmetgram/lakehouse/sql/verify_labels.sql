-- Labels that should be there and are not, or the other way round; and of the rows that a model learns from, those not yet
-- flagged at their anchor, how many have a label and how many of these are flagged later.
SELECT coalesce(sum(CASE WHEN label IS NULL AND is_known THEN 1 ELSE 0 END), 0)::bigint AS missing,
       coalesce(sum(CASE WHEN label IS NOT NULL AND NOT is_known THEN 1 ELSE 0 END), 0)::bigint AS early,
       coalesce(sum(CASE WHEN label IS NOT NULL AND NOT already_flagged THEN 1 ELSE 0 END), 0)::bigint AS labelled,
       coalesce(sum(CASE WHEN label AND NOT already_flagged THEN 1 ELSE 0 END), 0)::bigint AS positives
FROM (SELECT label, already_flagged, epoch_us(split_time) + $horizon <= $complete_until AS is_known FROM training)
