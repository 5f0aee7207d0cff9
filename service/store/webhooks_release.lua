-- The lanes that a dead process holds are due at once. ARGV: that process, now.
local process, now = unpack(ARGV)
for _, id in ipairs(redis.call('SMEMBERS', leased_by(process))) do
  local have = redis.call('HMGET', delivery(id), 'lease', 'endpoint', 'resource_id')
  if have[1] and leased_by(process) == holder(have[1]) then
    redis.call('HDEL', delivery(id), 'lease')
    redis.call('ZADD', lanes_due(have[2]), now, have[3])
    refresh(have[2])
  end
end
redis.call('DEL', leased_by(process))
