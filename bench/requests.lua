-- wrk's side: sends prepared bodies in turn and prints what came of it as one line of JSON.
-- Environment: BODIES (file), LINES (lines of it in a body), METHOD, TARGETS (paths, by comma),
-- CONTENT_TYPE, TOKEN.
local requests = {}
local next_request = 0

function init()
  local targets = {}
  for target in os.getenv("TARGETS"):gmatch("[^,]+") do targets[#targets + 1] = target end
  local headers = {["content-type"] = os.getenv("CONTENT_TYPE")}
  if os.getenv("TOKEN") then headers["authorization"] = "Bearer " .. os.getenv("TOKEN") end
  local per_body = tonumber(os.getenv("LINES"))
  local lines = {}
  for line in io.lines(os.getenv("BODIES")) do
    lines[#lines + 1] = line
    if #lines == per_body then
      local target = targets[#requests % #targets + 1]
      requests[#requests + 1] = wrk.format(os.getenv("METHOD"), target, headers,
        table.concat(lines, "\n"))
      lines = {}
    end
  end
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"failed":%d,"p50_ms":%f,"p99_ms":%f}\n', summary.requests,
    summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.status +
    errors.timeout, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
