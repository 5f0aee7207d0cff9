-- Sends a delivery anew: a dead one goes to the end of its lane, one that waits for a retry is due at once.
-- ARGV: delivery id, endpoint, now. Returns 'ok', 'missing' or 'conflict'.
local id, endpoint, now = unpack(ARGV)
local record = delivery(id)
local have = redis.call('HMGET', record, 'endpoint', 'status', 'resource_id', 'lease')
if have[1] ~= endpoint then return 'missing' end
local status, resource, leased = have[2], have[3], have[4]
if status == 'dead' then
  redis.call('PERSIST', record)
  push(id, endpoint, resource, now)
elseif status == 'retrying' and not leased then
  redis.call('ZADD', lanes_due(endpoint), now, resource)
  refresh(endpoint)
else
  return 'conflict'
end
redis.call('HSET', record, 'status', 'pending', 'attempts', 0, 'error', '', 'next_attempt_at', '')
return 'ok'
