-- Applies one batch, all of it or nothing: skips what was applied before, counts the rest, fires the anchors that are
-- due, and writes down what follows (requests, milestones) together with the offsets reached.
--
-- ARGV[1] is a msgpack map:
--   topics       names, in the order of the slots of a partition
--   kinds        the type of event in each topic
--   partitions   {partition, positions by topic as the caller believes them stored, stream time or nil, positions reached}
--   records      {topic, partition, offset, event id, image id, time, is_test, imported, detail}, in order to apply
--   delivered    members of stream:owed that have arrived
--   rules        windows {name, kind, length}, anchors (minutes), milestones, alert thresholds, retained, seen ...
-- All times are unix microseconds; scores in Redis are seconds. Returns msgpack.

local batch = cmsgpack.unpack(ARGV[1])
local rules = batch.rules
local result = {requests = {}, milestones = {}, popular = {}, duplicates = 0, repeated = 0, late = 0, skipped = 0}

local function seconds(time)
  return string.format('%d.%06d', math.floor(time / 1000000), time % 1000000)
end

-- A score as Redis prints it, as whole microseconds.
local function microseconds(score)
  return math.floor(tonumber(score) * 1000000 + 0.5)
end

-- Partitions: where we stand, and stream time before this batch

local partitions = {}

local function field(topic, partition)
  return batch.topics[topic] .. '/' .. partition
end

for _, one in ipairs(batch.partitions) do
  local number, expected, watermark = one[1], one[2], one[3]
  local fields = {}
  for topic = 1, #batch.topics do fields[topic] = field(topic, number) end
  local stored = redis.call('HMGET', 'stream:offsets', unpack(fields))
  local positions = {}
  for topic = 1, #batch.topics do
    positions[topic] = tonumber(stored[topic] or 0)
    if positions[topic] < expected[topic] then
      return cmsgpack.pack({behind = field(topic, number), stored = positions[topic], expected = expected[topic]})
    end
  end
  local past = redis.call('HGET', 'stream:watermark', number)
  partitions[number] = {
    number = number, positions = positions, watermark = past and tonumber(past) or 0, target = watermark or 0,
  }
end

-- Images

local deleted = {}

local function is_deleted(image)
  if deleted[image] == nil then
    deleted[image] = redis.call('EXISTS', 'image:' .. image .. ':deleted') == 1
  end
  return deleted[image]
end

local function count(image, kind, length, as_of)
  return redis.call('ZCOUNT', 'image:' .. image .. ':' .. kind .. 's', '(' .. seconds(as_of - length), seconds(as_of))
end

local function total_flags(image, as_of)
  local all = tonumber(redis.call('GET', 'image:' .. image .. ':total_flags') or 0)
  return all - redis.call('ZCOUNT', 'image:' .. image .. ':flags', '(' .. seconds(as_of), '+inf')
end

-- Requests. The id is a UUID of version 5, made as core/moderation.py makes it.

local namespace = (rules.namespace:gsub('%-', ''):gsub('%x%x', function(byte) return string.char(tonumber(byte, 16)) end))

local function request_id(image, trigger, key)
  local hash = redis.sha1hex(namespace .. image .. '/' .. trigger .. '/' .. key)
  local variant = string.format('%x', tonumber(hash:sub(17, 17), 16) % 4 + 8)
  return table.concat({
    hash:sub(1, 8), hash:sub(9, 12), '5' .. hash:sub(14, 16), variant .. hash:sub(18, 20), hash:sub(21, 32),
  }, '-')
end

-- The instant to ask about: this one, unless it is so long ago that its windows reach behind what is retained. Then it
-- is the earliest one whose windows are known in full; what nobody can count any more, nobody could ever compare. An
-- image that is younger than that has lost nothing.
local function countable(partition, image, instant)
  local horizon = partition.watermark - rules.retained
  local uploaded = redis.call('HGET', 'image:' .. image .. ':metadata', 'uploaded_at')
  if uploaded and microseconds(uploaded) > horizon then return instant end
  return math.max(instant, horizon + rules.longest)
end

local function ask(partition, image, trigger, key, instant)
  local as_of = countable(partition, image, instant)
  local request = {
    request_id = request_id(image, trigger, key), image_id = image, trigger = trigger, key = key, as_of = as_of,
    partition = partition.number, counts = {}, offsets = {},
  }
  local fields = {'image_id', image, 'trigger', trigger, 'key', key, 'as_of', seconds(as_of), 'partition', partition.number}
  local function note(name, value)
    request.counts[name] = value
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  for _, window in ipairs(rules.windows) do note(window[1], count(image, window[2], window[3], as_of)) end
  note('total_flags', total_flags(image, as_of))
  for topic, position in ipairs(partition.positions) do
    request.offsets[batch.topics[topic]] = position
    fields[#fields + 1] = 'offset:' .. batch.topics[topic]
    fields[#fields + 1] = position
  end
  redis.call('HSET', 'request:' .. request.request_id, unpack(fields))
  redis.call('PERSIST', 'request:' .. request.request_id)
  redis.call('SADD', 'image:' .. image .. ':requests', request.request_id)
  redis.call('EXPIRE', 'image:' .. image .. ':requests', rules.housekeeping)
  redis.call('ZADD', 'stream:owed', seconds(as_of), partition.number .. '/request/' .. request.request_id)
  result.requests[#result.requests + 1] = request
end

local function owe_milestone(partition, image, milestone, time)
  local member = partition.number .. '/milestone/' .. image .. '/' .. milestone .. '/' .. string.format('%d', time)
  redis.call('ZADD', 'stream:owed', seconds(time), member)
  result.milestones[#result.milestones + 1] = member
end

-- Events

local HOUR = 3600000000
local touched = {}

local function newest_in(key)
  local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
  return last[2] and microseconds(last[2]) or 0
end

-- Puts an event into its window. Returns the newest time in the window, or nil for an event that is too old for any.
local function remember(partition, kind, record)
  local key = 'image:' .. record.image .. ':' .. kind .. 's'
  if record.time <= partition.watermark - rules.retained then
    result.late = result.late + 1
    return nil
  end
  local known = touched[key]
  if not known then
    local newest = newest_in(key)
    known = {partition = partition, before = newest, newest = newest}
    touched[key] = known
  end
  redis.call('ZADD', key, seconds(record.time), record.id)
  if record.time > known.newest then known.newest = record.time end
  return known.newest
end

-- <alert>
-- Whether the event at `time` lifted the count in the window that ends at `as_of` to the threshold: it was one lower
-- without it. So the alert is armed again as soon as the count has fallen below.
local function crosses(image, kind, length, as_of, time, threshold)
  return time > as_of - length and count(image, kind, length, as_of) == threshold
end
-- </alert>

local apply = {}

function apply.upload(partition, record)
  local detail = record.detail
  redis.call('HSET', 'image:' .. record.image .. ':metadata', 'user_id', detail.user_id, 'uploaded_at',
    seconds(record.time), 'caption_length', detail.caption_length, 'category', detail.category)
  if record.imported then return end
  ask(partition, record.image, 'upload', '0', record.time)
  for _, minutes in ipairs(rules.anchors) do
    if minutes > 0 then
      local due = seconds(record.time + minutes * 60000000)
      redis.call('ZADD', 'moderation:due:' .. partition.number, due, record.image .. '/' .. minutes)
    end
  end
end

function apply.view(partition, record)
  local total = redis.call('INCR', 'image:' .. record.image .. ':total_views')
  if record.imported then return end
  for _, milestone in ipairs(rules.milestones) do
    if total == milestone then owe_milestone(partition, record.image, milestone, record.time) end
  end
  local newest = remember(partition, 'view', record)
  if not newest or total < math.min(rules.viral_views, rules.popular_views) then return end
  if crosses(record.image, 'view', rules.viral_length, newest, record.time, rules.viral_views) then
    ask(partition, record.image, 'viral', record.id, newest)
  end
  if crosses(record.image, 'view', rules.popular_length, newest, record.time, rules.popular_views) then
    result.popular[#result.popular + 1] = {record.image, rules.popular_views}
  end
end

function apply.comment(partition, record)
  local total = redis.call('INCR', 'image:' .. record.image .. ':total_comments')
  if record.imported then return end
  local newest = remember(partition, 'comment', record)
  if not newest or total < rules.suspicious_comments then return end
  if crosses(record.image, 'comment', rules.suspicious_length, newest, record.time, rules.suspicious_comments) then
    ask(partition, record.image, 'suspicious', record.id, newest)
  end
end

local function is_power_of_two(number)
  while number > 1 and number % 2 == 0 do number = number / 2 end
  return number == 1
end

function apply.flag(partition, record)
  if record.detail.on_comment then return end
  local total = redis.call('INCR', 'image:' .. record.image .. ':total_flags')
  if record.imported then return end
  local newest = remember(partition, 'flag', record)
  if is_power_of_two(total) then
    newest = newest or math.max(record.time, newest_in('image:' .. record.image .. ':flags'))
    ask(partition, record.image, 'flagged', tostring(total), newest)
  end
end

function apply.deletion(partition, record)
  local image = 'image:' .. record.image
  redis.call('SET', image .. ':deleted', seconds(record.time), 'EX', rules.tombstone)
  deleted[record.image] = true
  for _, id in ipairs(redis.call('SMEMBERS', image .. ':requests')) do
    redis.call('DEL', 'request:' .. id)
    redis.call('ZREM', 'stream:owed', partition.number .. '/request/' .. id)
  end
  redis.call('DEL', image .. ':views', image .. ':comments', image .. ':flags', image .. ':total_views',
    image .. ':total_comments', image .. ':total_flags', image .. ':metadata', image .. ':requests')
  for _, minutes in ipairs(rules.anchors) do
    redis.call('ZREM', 'moderation:due:' .. partition.number, record.image .. '/' .. minutes)
  end
end

local seen = {}

-- Whether this event id is new among the latest of its partition. A relay that restarts repeats its last batch.
local function is_new(topic, partition, record)
  local key = 'stream:seen:' .. field(topic, partition.number)
  seen[key] = true
  return redis.call('ZADD', key, 'NX', record.offset, record.id) == 1
end

local function apply_record(topic, partition, record)
  local kind = batch.kinds[topic]
  if not is_new(topic, partition, record) then
    result.duplicates = result.duplicates + 1
  elseif kind == 'deletion' then
    apply.deletion(partition, record)
  elseif record.is_test or is_deleted(record.image) then
    result.skipped = result.skipped + 1
  else
    apply[kind](partition, record)
  end
end

for _, one in ipairs(batch.records) do
  local topic, partition = one[1] + 1, partitions[one[2]]
  local record = {
    offset = one[3], id = one[4], image = string.format('%d', one[5]), time = one[6], is_test = one[7],
    imported = one[8], detail = one[9],
  }
  if record.offset < partition.positions[topic] then
    result.repeated = result.repeated + 1
  else
    partition.positions[topic] = record.offset + 1
    apply_record(topic, partition, record)
  end
end

-- Stream time moves on; anchors on the way are scored as of their own instant, before anything of it is trimmed

result.watermarks = {}
for _, one in ipairs(batch.partitions) do
  local partition, reached = partitions[one[1]], one[4]
  local offsets = {}
  for topic = 1, #batch.topics do
    partition.positions[topic] = math.max(partition.positions[topic], reached[topic])
    offsets[2 * topic - 1] = field(topic, partition.number)
    offsets[2 * topic] = string.format('%d', partition.positions[topic])
  end
  redis.call('HSET', 'stream:offsets', unpack(offsets))
  local due = 'moderation:due:' .. partition.number
  local target = math.max(partition.watermark, partition.target)
  local waiting = redis.call('ZRANGEBYSCORE', due, '-inf', seconds(target), 'WITHSCORES', 'LIMIT', 0, rules.anchors_at_once)
  for index = 1, #waiting, 2 do
    local image, minutes = waiting[index]:match('^(%d+)/(%d+)$')
    local as_of = microseconds(waiting[index + 1])
    if not is_deleted(image) then ask(partition, image, 'anchor', minutes, as_of) end
    redis.call('ZREM', due, waiting[index])
    if #waiting == 2 * rules.anchors_at_once then
      target = math.max(partition.watermark, as_of)
      result.more = true
    end
  end
  partition.watermark = target
  redis.call('HSET', 'stream:watermark', partition.number, string.format('%d', target))
  result.watermarks[#result.watermarks + 1] = {partition.number, target}
end

-- Housekeeping

for key, known in pairs(touched) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', seconds(math.max(0, known.partition.watermark - rules.retained)))
  if math.floor(known.newest / HOUR) > math.floor(known.before / HOUR) then -- once an hour is enough
    redis.call('EXPIRE', key, rules.housekeeping)
  end
end
for key in pairs(seen) do redis.call('ZREMRANGEBYRANK', key, 0, -rules.seen - 1) end
for _, member in ipairs(batch.delivered) do
  redis.call('ZREM', 'stream:owed', member)
  local id = member:match('/request/(.+)$')
  if id then redis.call('EXPIRE', 'request:' .. id, rules.housekeeping) end
end
result.owed = redis.call('ZCARD', 'stream:owed')
return cmsgpack.pack(result)
