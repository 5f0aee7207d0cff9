-- Records what became of the delivery at the head of a leased lane.
-- ARGV: delivery id, lease, now, status, when the lane is due again, keep (ms), next lease ('' do not go on), its end,
--       then fields and values to store.
-- Returns the record of the lane's next delivery where that is leased, else false.
local id, lease, now, status, due, keep = unpack(ARGV, 1, 6)
local record = delivery(id)
local have = redis.call('HMGET', record, 'lease', 'endpoint', 'resource_id')
redis.call('SREM', holder(lease), id)
if have[1] ~= lease then return false end
local endpoint, resource = have[2], have[3]
redis.call('HDEL', record, 'lease')
redis.call('HSET', record, 'status', status, 'next_attempt_at', status == 'retrying' and due or '', unpack(ARGV, 9))
if redis.call('EXISTS', deliveries(endpoint)) == 1 then redis.call('PEXPIRE', deliveries(endpoint), keep) end

local following = false
if not FINISHED[status] then
  redis.call('ZADD', lanes_due(endpoint), due, resource)
else
  redis.call('LREM', lane(endpoint, resource), 1, id)
  if status == 'delivered' then
    redis.call('HSET', record, 'delivered_at', now)
    redis.call('HDEL', record, 'body')
  end
  if redis.call('ZSCORE', deliveries(endpoint), id) then
    redis.call('PEXPIRE', record, keep)
  else
    redis.call('DEL', record)
  end
  if ARGV[7] ~= '' then
    following = take(endpoint, resource, ARGV[8], ARGV[7])
  elseif redis.call('EXISTS', lane(endpoint, resource)) == 1 then
    redis.call('ZADD', lanes_due(endpoint), now, resource)
  else
    redis.call('ZREM', lanes_due(endpoint), resource)
  end
end
refresh(endpoint)
return following
