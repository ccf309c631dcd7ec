-- The work of key-auth, rate-limiting (local, per minute) and prometheus (per consumer), as one would write it by
-- hand for one service. Shared dictionaries hold the keys, the counters and the metrics of all workers.
local keys = ngx.shared.keys
local limits = ngx.shared.limits
local metrics = ngx.shared.metrics

local WINDOW_SECONDS = 60
local OTHER_KEYS = 10000
local KONG_BUCKETS = { 1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000, 3000, 6000 }
local UPSTREAM_BUCKETS = { 25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10000, 30000, 60000 }

local limit_per_minute
local _M = {}

function _M.load_keys(key, consumer, limit)
  limit_per_minute = limit
  for i = 1, OTHER_KEYS do
    assert(keys:set("other-key-" .. i, "other-consumer-" .. i))
  end
  assert(keys:set(key, consumer))
end

local function refuse(status, message)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json; charset=utf-8"
  ngx.print('{"message":"', message, '"}')
  return ngx.exit(status)
end

local function authenticate()
  local key = ngx.var.http_apikey
  if not key then
    return refuse(401, "No API key found in request")
  end
  local consumer = keys:get(key)
  if not consumer then
    return refuse(401, "Unauthorized")
  end
  ngx.ctx.consumer = consumer
  ngx.req.set_header("X-Consumer-Username", consumer)
  ngx.req.set_header("X-Credential-Identifier", key)
  return consumer
end

local function limit(consumer)
  local now = ngx.time()
  local elapsed = now % WINDOW_SECONDS
  local used = limits:incr(consumer .. ":" .. (now - elapsed), 1, 0, WINDOW_SECONDS * 2)
  local remaining = limit_per_minute - used
  local reset = WINDOW_SECONDS - elapsed
  local header = ngx.header
  header["X-RateLimit-Limit-Minute"] = limit_per_minute
  header["X-RateLimit-Remaining-Minute"] = remaining > 0 and remaining or 0
  header["RateLimit-Limit"] = limit_per_minute
  header["RateLimit-Remaining"] = remaining > 0 and remaining or 0
  header["RateLimit-Reset"] = reset
  if remaining < 0 then
    header["Retry-After"] = reset
    return refuse(429, "API rate limit exceeded")
  end
end

function _M.access()
  limit(authenticate())
end

local function add(name, labels, amount)
  metrics:incr(name .. "{" .. labels .. "}", amount, 0)
end

local function bucket_of(value, bounds)
  for i = 1, #bounds do
    if value <= bounds[i] then
      return bounds[i]
    end
  end
  return "+Inf"
end

-- Buckets are stored one by one and added up when printed, so a request touches one of them.
local function observe(name, value, bounds)
  add(name .. "_bucket", 'service="bench-three",route="bench-three",le="' .. bucket_of(value, bounds) .. '"', 1)
  add(name .. "_sum", 'service="bench-three",route="bench-three"', value)
end

function _M.log()
  local var = ngx.var
  local consumer = ngx.ctx.consumer or ""
  local who = 'service="bench-three",route="bench-three",consumer="' .. consumer .. '"'
  add("kong_http_requests_total", who .. ',code="' .. ngx.status .. '"', 1)
  add("kong_bandwidth_bytes", who .. ',direction="ingress"', tonumber(var.request_length) or 0)
  add("kong_bandwidth_bytes", who .. ',direction="egress"', tonumber(var.bytes_sent) or 0)
  local request_ms = (tonumber(var.request_time) or 0) * 1000
  local upstream_ms = (tonumber(var.upstream_response_time) or 0) * 1000
  observe("kong_request_latency_ms", request_ms, UPSTREAM_BUCKETS)
  observe("kong_upstream_latency_ms", upstream_ms, UPSTREAM_BUCKETS)
  observe("kong_kong_latency_ms", math.max(request_ms - upstream_ms, 0), KONG_BUCKETS)
end

function _M.print_metrics()
  local names = metrics:get_keys(0)
  table.sort(names)
  for i = 1, #names do
    ngx.say(names[i], " ", metrics:get(names[i]))
  end
end

return _M
