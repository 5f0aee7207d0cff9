-- Lanes that a process holds are due at once. ARGV: that process, now, then ids of deliveries; without any, all it holds.
local process, now = unpack(ARGV)
local ids = #ARGV > 2 and {unpack(ARGV, 3)} or redis.call('SMEMBERS', leased_by(process))
for _, id in ipairs(ids) do
  local have = redis.call('HMGET', delivery(id), 'lease', 'endpoint', 'resource_id')
  if have[1] and leased_by(process) == holder(have[1]) then
    redis.call('HDEL', delivery(id), 'lease')
    redis.call('ZADD', lanes_due(have[2]), now, have[3])
    refresh(have[2])
  end
  redis.call('SREM', leased_by(process), id)
end
