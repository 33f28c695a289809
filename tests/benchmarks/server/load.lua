-- Arguments: method, bytes of the body, path, then header fields as name and value.
-- OTHER and EVERY in the environment: the path of every so many requests.

function init(args)
  wrk.method = args[1]
  if tonumber(args[2]) > 0 then wrk.body = string.rep("x", tonumber(args[2])) end
  wrk.path = args[3]
  for i = 4, #args, 2 do wrk.headers[args[i]] = args[i + 1] end
end

-- Without this function wrk makes its request but once, and has more time for the server.
if os.getenv("EVERY") then
  local count, every, other = 0, tonumber(os.getenv("EVERY")), os.getenv("OTHER")
  function request()
    count = count + 1
    return wrk.format(nil, count % every == 0 and other or nil)
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(99)))
end
