-- For wrk: posts every line of the file named by its first argument to the path named by its second one, in turn, and
-- prints its figures as one line of JSON.

local requests, position = {}, 0

function init(args)
  local headers = { ["Content-Type"] = "application/json" }
  for line in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", args[2], headers, line)
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency, rates)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    'FIGURES {"requests": %d, "seconds": %f, "failed": %d, "mean": %f, "p50": %f, "p90": %f, "p99": %f}\n',
    summary.requests, summary.duration / 1e6, failed, latency.mean / 1e3,
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3
  ))
end
