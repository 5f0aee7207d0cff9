-- Entries of the outbox become deliveries and leave the stream, all at once.
-- ARGV: now, most per endpoint, keep (ms), then for each entry: stream id ('' none), event id, type, resource, body,
--       count of deliveries, and for each of those: id, endpoint, url.
local now, most, keep = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local i = 4
while i <= #ARGV do
  local entry, event, kind, resource, body, count = unpack(ARGV, i, i + 5)
  -- Where the entry is gone, it was fanned out by another process, or by us before the answer got lost. It leaves the
  -- stream last: a script that is cut short (a slot that moves) sends twice rather than never.
  local ours = entry == '' or #redis.call('XRANGE', KEYS[1], entry, entry) == 1
  local created = entry == '' and now or string.match(entry, '^%d+')
  i = i + 6
  for _ = 1, tonumber(count) do
    local id, endpoint, url = unpack(ARGV, i, i + 2)
    i = i + 3
    if ours then
      redis.call('HSET', delivery(id), 'id', id, 'endpoint', endpoint, 'url', url, 'event_id', event,
        'event_type', kind, 'resource_id', resource, 'body', body, 'status', 'pending', 'attempts', 0,
        'created_at', created)
      redis.call('ZADD', deliveries(endpoint), 0, id)
      redis.call('PEXPIRE', deliveries(endpoint), keep)
      trim(endpoint, most, 4)
      push(id, endpoint, resource, now)
    end
  end
  if ours and entry ~= '' then redis.call('XDEL', KEYS[1], entry) end
end
