-- Prepended to every webhook script. A lane is a list of delivery ids; `lanes_due` of its endpoint says when it is due,
-- and while it is worked on, when that lease ends. ENDPOINTS_DUE holds each endpoint's earliest lane.

local FINISHED = {delivered = true, dead = true}

local function refresh(endpoint)
  local first = redis.call('ZRANGE', lanes_due(endpoint), 0, 0, 'WITHSCORES')
  if first[2] then
    redis.call('ZADD', ENDPOINTS_DUE, first[2], endpoint)
  else
    redis.call('ZREM', ENDPOINTS_DUE, endpoint)
  end
end

-- Appends a delivery to its lane, which is due at once where it was empty.
local function push(id, endpoint, resource, now)
  if redis.call('RPUSH', lane(endpoint, resource), id) == 1 then
    redis.call('ZADD', lanes_due(endpoint), now, resource)
    refresh(endpoint)
  end
end

-- A lease is `<process>:<number>`.
local function holder(lease)
  return leased_by(string.match(lease, '^(.*):'))
end

-- Leases a lane: its head's record, or false where nothing is left in it.
local function take(endpoint, resource, lease_until, lease)
  local list = lane(endpoint, resource)
  local id = redis.call('LINDEX', list, 0)
  while id and redis.call('EXISTS', delivery(id)) == 0 do
    redis.call('LPOP', list)
    id = redis.call('LINDEX', list, 0)
  end
  if not id then
    redis.call('ZREM', lanes_due(endpoint), resource)
    return false
  end
  redis.call('ZADD', lanes_due(endpoint), lease_until, resource)
  local before = redis.call('HGET', delivery(id), 'lease')
  if before then redis.call('SREM', holder(before), id) end
  redis.call('HSET', delivery(id), 'lease', lease)
  redis.call('SADD', holder(lease), id)
  return redis.call('HGETALL', delivery(id))
end

-- Drops the oldest of an endpoint's listed deliveries, where they are expired or more than `most`.
local function trim(endpoint, most, steps)
  local index = deliveries(endpoint)
  for _ = 1, steps do
    local oldest = redis.call('ZRANGE', index, 0, 0)[1]
    if not oldest then return end
    local status = redis.call('HGET', delivery(oldest), 'status')
    if status and redis.call('ZCARD', index) <= most then return end
    redis.call('ZREM', index, oldest)
    if FINISHED[status] then redis.call('DEL', delivery(oldest)) end
  end
end
