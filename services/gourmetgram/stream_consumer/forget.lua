-- Deletes every key that matches one of the patterns in ARGV, and returns how many there were.

local number = 0
for _, pattern in ipairs(ARGV) do
  local cursor = '0'
  repeat
    local page = redis.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', 1000)
    cursor = page[1]
    for _, key in ipairs(page[2]) do number = number + redis.call('UNLINK', key) end
  until cursor == '0'
end
return number
