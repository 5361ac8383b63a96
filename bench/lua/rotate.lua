-- Sends the requests of a file in turn, so that every user is asked equally often.
-- Usage: wrk -s rotate.lua URL -- REQUESTS [CREATE]
--
-- REQUESTS: whole requests, each as its length in decimal, a newline, and its bytes. With CREATE,
-- the coordinates 60.1000 and 9.2000 of each request are replaced by ones that no earlier request
-- of the same user had: a person does not save the same place a thousand times, and a server that
-- looks for duplicates must not be measured on a list that consists of them. The width stays the
-- same, so Content-Length stays true, and all points lie inside one square kilometre.

local requests, heads, middles, tails = {}, {}, {}, {}
local count, sent, create = 0, 0, false

function init(args)
  local file = assert(io.open(args[1], "rb"))
  create = args[2] == "create"
  while true do
    local length = file:read("*n")
    if not length then break end
    assert(file:read(1) == "\n")
    count = count + 1
    requests[count] = assert(file:read(length))
  end
  file:close()
  assert(count > 0, "no requests")
  if create then
    for i = 1, count do
      local head, middle, tail = requests[i]:match("^(.-)60%.1000(.-)9%.2000(.*)$")
      heads[i], middles[i], tails[i] = assert(head, "no coordinates to vary"), middle, tail
    end
  end
end

function request()
  local user, turn = sent % count + 1, math.floor(sent / count)
  sent = sent + 1
  if not create then return requests[user] end
  return heads[user] .. string.format("60.10%02d", turn % 100) .. middles[user]
    .. string.format("9.20%02d", math.floor(turn / 100) % 100) .. tails[user]
end

-- One line of JSON that the harness reads; latencies in microseconds.
function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    'SUMMARY {"requests":%d,"duration_us":%d,"p50":%d,"p95":%d,"p99":%d,"p999":%d,"max":%d,"errors":%d,"bad_status":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(95), latency:percentile(99),
    latency:percentile(99.9), latency.max, e.connect + e.read + e.write + e.timeout, e.status))
end
