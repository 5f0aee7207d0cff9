-- Leases lanes that are due. An endpoint whose slots are taken is passed over, so that it hides no other.
-- KEYS: outbox, members. ARGV: now, lease end, lease, lanes of each endpoint at once, lanes in all, the process where it
-- must be a member, then endpoint and lanes under way of each.
-- Returns when the next endpoint is due after now (or false), then the records at the heads of the leased lanes.
local now, lease_until, lease, each, total = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
if ARGV[6] ~= '' and redis.call('HEXISTS', KEYS[2], ARGV[6]) == 0 then return {false, {}} end
local busy, passed_over = {}, 0
for i = 7, #ARGV, 2 do
  busy[ARGV[i]] = tonumber(ARGV[i + 1])
  passed_over = passed_over + 1
end
local taken = {}
for _, endpoint in ipairs(redis.call('ZRANGEBYSCORE', ENDPOINTS_DUE, '-inf', now, 'LIMIT', 0, total + passed_over)) do
  local free = math.min(each - (busy[endpoint] or 0), total - #taken)
  if free > 0 then
    for _, resource in ipairs(redis.call('ZRANGEBYSCORE', lanes_due(endpoint), '-inf', now, 'LIMIT', 0, free)) do
      local record = take(endpoint, resource, lease_until, lease)
      if record then taken[#taken + 1] = record end
    end
    refresh(endpoint)
  end
end
local next = redis.call('ZRANGEBYSCORE', ENDPOINTS_DUE, '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return {next[2] or false, taken}
