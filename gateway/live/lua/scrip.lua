#!lua name=scrip
-- luacheck: std lua51, globals redis
--
-- What is live, shared by all workers: budgets that throttle, snapshots of balances, and
-- when open holds expire.
-- No sum in here is ever the basis of an approval (design 1).
--
-- Rules of this file
--   * All keys come in through KEYS and lie in one hash slot, {scrip}.
--   * Time comes in as durations and is kept as the keys' time to live: no clock is
--     read and no chance drawn here.
--   * There is no rollback. So all is read and checked before the first write.
--   * Each key has a time to live, and what could grow has a bound besides.
--   * A function whose arguments or meaning change gets a new number; the old one stays
--     for one release, because workers of both run side by side while they are renewed.
--   * While a library loads, Lua's own functions are not there: no aliases up here.

local function refusal(name, reason)
  return redis.error_reply('ERR ' .. name .. ': ' .. reason)
end

-- How long until a counter that is used up is gone, in milliseconds, at least 1: a key
-- is still there in the very millisecond in which its time to live ends. A counter
-- that this call is about to begin has no time to live yet.
local function time_left(key, window_ms)
  local left_ms = redis.call('PTTL', key)
  if left_ms < 0 then left_ms = window_ms end
  return left_ms + 1
end

-- Add to counters, which begin to live with their first count.
local function count(key, had, more, window_ms)
  if had > 0 then
    redis.call('INCRBY', key, more)
  else
    redis.call('SET', key, more, 'PX', window_ms)
  end
end

-- Which of these ids were counted before: a list of 0 and 1 for each of both sets.
local function look_up(current, previous, ids)
  if #ids == 0 then return {}, {} end
  return redis.call('SMISMEMBER', current, unpack(ids)),
    redis.call('SMISMEMBER', previous, unpack(ids))
end

-- Keep ids for at least remember_ms, as long as no more than `limit` of them come in
-- that time. The sets take turns: when the current one is old or full, it becomes the
-- previous one, and the one before that is forgotten, in the background.
local function remember(current, previous, ids, remember_ms, limit)
  if #ids == 0 then return end
  local left_ms = redis.call('PTTL', current)
  local is_old = left_ms >= 0 and left_ms <= 2 * remember_ms
  if is_old or (left_ms >= 0 and redis.call('SCARD', current) >= limit) then
    redis.call('UNLINK', previous)
    redis.call('RENAME', current, previous)
    left_ms = -2
  end
  redis.call('SADD', current, unpack(ids))
  if left_ms < 0 then redis.call('PEXPIRE', current, 3 * remember_ms) end
end

-- Which budgets of a request are used up: by its terminal's requests, by the failed
-- look-ups of its terminal, by those of its store?
local function used_up(state, terminal, store, adds)
  local counts, terminals = state.counts, state.terminals
  return counts[terminal] + adds >= state.request_limit,
    counts[terminals + terminal] >= state.terminal_limit,
    counts[2 * terminals + store] >= state.store_limit
end

-- Judge each request in turn. Gives the answers, how many each terminal adds, the ids.
local function judge(keys, args, first, state)
  local answers, added, fresh_ids, is_fresh = {}, {}, {}, {}
  local named = 0
  for at = first, #args, 3 do
    local terminal, store = tonumber(args[at]), tonumber(args[at + 1])
    local id = args[at + 2]
    local known, answer = false, 0
    if id ~= '' then
      named = named + 1
      known = state.in_current[named] == 1 or state.in_previous[named] == 1
        or is_fresh[id]
    end
    if not known then
      local adds = added[terminal] or 0
      local requests, at_terminal, at_store = used_up(state, terminal, store, adds)
      if requests then
        answer = time_left(keys[2 + terminal], state.window_ms)
      end
      if at_terminal then
        local key = keys[2 + state.terminals + terminal]
        answer = math.max(answer, time_left(key, state.failed_window_ms))
      end
      if at_store then
        local key = keys[2 + 2 * state.terminals + store]
        answer = math.max(answer, time_left(key, state.failed_window_ms))
      end
      if answer == 0 then
        added[terminal] = adds + 1
        if id ~= '' then
          is_fresh[id] = true
          fresh_ids[#fresh_ids + 1] = id
        end
      end
    end
    answers[#answers + 1] = answer
  end
  return answers, added, fresh_ids
end

-- scrip_admit_v1: count requests against their budgets, or say how long to wait.
--
-- A request id that was once counted passes without being counted again, also when
-- its budgets are used up: a retry never throttles a till. A request without an id is
-- counted each time. What is over a budget is not counted.
--
-- KEYS  1              set of the ids counted lately
--       2              set of the ids counted before those
--       then T         counters of requests, one a terminal
--       then T         counters of failed look-ups, the same terminals
--       then S         counters of failed look-ups, one a store
-- ARGV  1              requests that a terminal may send in a window
--       2              that window, ms
--       3, 4           failed look-ups in a window of a terminal, of a store
--       5              that window, ms
--       6              how long an id is remembered at least, ms
--       7              most ids in one set; when more come they are remembered shorter
--       8, 9           T, S
--       then 3 each    a request: number of its terminal, of its store (from 1), its id
--                      with its terminal's ('' for none)
-- RETURNS a list, one number a request: 0 admits, else milliseconds to wait (> 0)
local function admit(keys, args)
  local terminals, stores = tonumber(args[8]), tonumber(args[9])
  if not stores or #keys ~= 2 + 2 * terminals + stores or #args % 3 ~= 0 then
    return refusal('scrip_admit_v1', 'keys and arguments do not fit together')
  end
  local ids = {}
  for at = 12, #args, 3 do
    if args[at] ~= '' then ids[#ids + 1] = args[at] end
  end
  local in_current, in_previous = look_up(keys[1], keys[2], ids)
  local counts = terminals > 0 and redis.call('MGET', unpack(keys, 3)) or {}
  for i = 1, #counts do counts[i] = tonumber(counts[i]) or 0 end
  local window_ms = tonumber(args[2])

  local answers, added, fresh_ids = judge(keys, args, 10, {
    counts = counts,
    terminals = terminals,
    request_limit = tonumber(args[1]),
    window_ms = window_ms,
    terminal_limit = tonumber(args[3]),
    store_limit = tonumber(args[4]),
    failed_window_ms = tonumber(args[5]),
    in_current = in_current,
    in_previous = in_previous,
  })

  for terminal = 1, terminals do
    if added[terminal] then
      count(keys[2 + terminal], counts[terminal], added[terminal], window_ms)
    end
  end
  remember(keys[1], keys[2], fresh_ids, tonumber(args[6]), tonumber(args[7]))
  return answers
end

-- Is a snapshot older than the kept one: by its card's version, then by its time?
local function is_older(version, at, kept)
  local kept_version, kept_at = string.match(kept, '^(%d+) (%d+) ')
  if not kept_version then return false end
  kept_version = tonumber(kept_version)
  return version < kept_version or (version == kept_version and at < tonumber(kept_at))
end

-- The snapshots and the counters of a publish; see scrip_publish_v2.
--
-- KEYS  1 … N          snapshots
--       then M         counters
-- ARGV  1              N
--       2              window of failed look-ups, ms
--       then 2 each    a snapshot
--       then M         how many look-ups failed, one a counter
local function publish(keys, args)
  local snapshots, window_ms = tonumber(args[1]), tonumber(args[2])
  if not snapshots or #args ~= 2 + #keys + snapshots then
    return refusal('scrip_publish_v2', 'keys and arguments do not fit together')
  end
  local kept = #keys > 0 and redis.call('MGET', unpack(keys)) or {}
  local newer = {}
  for i = 1, snapshots do
    local text, ttl_ms = args[1 + 2 * i], tonumber(args[2 + 2 * i])
    local version, at = string.match(text, '^(%d+) (%d+) ')
    if not version or not ttl_ms or ttl_ms < 1 then
      return refusal('scrip_publish_v2', 'a snapshot has no version, time or life')
    end
    if not kept[i] or not is_older(tonumber(version), tonumber(at), kept[i]) then
      newer[#newer + 1] = i
    end
  end

  for j = 1, #newer do
    local i = newer[j]
    redis.call('SET', keys[i], args[1 + 2 * i], 'PX', args[2 + 2 * i])
  end
  for i = snapshots + 1, #keys do
    count(keys[i], tonumber(kept[i]) or 0, args[2 + snapshots + i], window_ms)
  end
  return #newer
end

-- Put holds in by the moment they expire, the soonest `limit` of them. Who is there
-- already keeps its place with `flag` NX.
local function put_expiries(key, flag, pairs_, limit)
  if #pairs_ == 0 then return end
  if flag then
    redis.call('ZADD', key, flag, unpack(pairs_))
  else
    redis.call('ZADD', key, unpack(pairs_))
  end
  if redis.call('ZCARD', key) > limit then
    redis.call('ZREMRANGEBYRANK', key, limit, -1)
  end
end

-- Are these pairs of a moment and a hold?
local function are_moments(args, first, last)
  for at = first, last, 2 do
    if not tonumber(args[at]) or args[at + 1] == '' then return false end
  end
  return true
end

-- scrip_publish_v2: keep the newest snapshot of each card; count failed look-ups; keep
-- when open holds expire, and take out those that ended.
--
-- An older version of a snapshot never overwrites a newer one, whoever comes first. A
-- hold that is told as open by one worker after another told its end comes back: it is
-- looked up in the books before anything is done about it, and taken out then.
--
-- KEYS  1 … N          snapshots
--       then M         counters of failed look-ups, of terminals and stores
--       then 1         holds by their expiry
-- ARGV  1              N
--       2              window of failed look-ups, ms
--       3, 4           how many holds are open, how many ended
--       5              most holds kept, the soonest
--       6              how long they are kept untouched, ms
--       then 2 each    an open hold: when it expires, ms, and its id
--       then 1 each    the id of an ended one
--       then 2 each    a snapshot: its text, which begins with the card's version and
--                      the time it was true, and how long it may still be shown, ms
--       then M         how many look-ups failed, one a counter
-- RETURNS how many snapshots were written
local function publish_with_holds(keys, args)
  local open, ended, limit = tonumber(args[3]), tonumber(args[4]), tonumber(args[5])
  if not open or not ended or not limit or #keys < 1 or #args < 6 + 2 * open + ended
    or not are_moments(args, 7, 6 + 2 * open) then
    return refusal('scrip_publish_v2', 'keys and arguments do not fit together')
  end
  local plain_keys, plain_args = {}, { args[1], args[2] }
  for at = 1, #keys - 1 do plain_keys[at] = keys[at] end
  for at = 7 + 2 * open + ended, #args do plain_args[#plain_args + 1] = args[at] end
  local written = publish(plain_keys, plain_args)
  if type(written) ~= 'number' then return written end

  local key = keys[#keys]
  if open > 0 then
    put_expiries(key, nil, { unpack(args, 7, 6 + 2 * open) }, limit)
  end
  if ended > 0 then
    redis.call('ZREM', key, unpack(args, 7 + 2 * open, 6 + 2 * open + ended))
  end
  if open + ended > 0 then redis.call('PEXPIRE', key, args[6]) end
  return written
end

-- Which run of the server is this? What was in memory is lost with the run.
local function this_run()
  local told = redis.pcall('INFO', 'server')
  return type(told) == 'string' and string.match(told, 'run_id:(%x+)') or 'unknown'
end

-- How is the set of expiries: 1 all are there, 2 somebody is loading them, 0 lost.
local function loaded_state(mark)
  if not mark then return 0 end
  if string.sub(mark, 1, 8) == 'loading ' then return 2 end
  return mark == this_run() and 1 or 0
end

-- scrip_due_v1: give the holds that are due, to one caller, for a while.
--
-- What is given comes again when its lease is over, unless it was taken out till then:
-- whoever took it may be gone.
--
-- KEYS  1              holds by their expiry
--       2              the mark that all are loaded
-- ARGV  1              now, ms, by the clock of the books
--       2              most holds to be given
--       3              when they come again, ms
--       then           ids to be taken out first
-- RETURNS 0 nothing is known to be loaded, 1 all is, 2 it is being loaded; when the next
-- one is due, ms, '' for none; then the ids
local function due(keys, args)
  local now, limit, again = tonumber(args[1]), tonumber(args[2]), tonumber(args[3])
  if #keys ~= 2 or not now or not limit or not again or again <= now then
    return refusal('scrip_due_v1', 'keys and arguments do not fit together')
  end
  local mark = redis.call('GET', keys[2])
  if #args > 3 then redis.call('ZREM', keys[1], unpack(args, 4)) end
  local ids = {}
  if limit > 0 then
    ids = redis.call('ZRANGEBYSCORE', keys[1], '-inf', args[1], 'LIMIT', 0, limit)
  end
  if #ids > 0 then
    local leases = {}
    for i = 1, #ids do
      leases[2 * i - 1] = args[3]
      leases[2 * i] = ids[i]
    end
    redis.call('ZADD', keys[1], unpack(leases))
  end
  local first = redis.call('ZRANGE', keys[1], 0, 0, 'WITHSCORES')
  return { loaded_state(mark), first[2] or '', unpack(ids) }
end

-- scrip_load_v1: put a page of the books' open holds in, and mark the last.
--
-- Who begins marks it with a token of its own; when the mark is another's, or gone, the
-- server lost something on the way and the load begins again. A hold that is there
-- keeps its place: it may have been given to somebody.
--
-- KEYS  1              holds by their expiry
--       2              the mark that all are loaded
-- ARGV  1              the loader's token
--       2              'first', 'next', 'last', or 'more' (no mark, to fill gaps)
--       3              most holds kept, the soonest
--       4              how long they are kept untouched, ms
--       5              how long the loader may take from page to page, ms
--       then 2 each    when it expires, ms, and a hold's id
-- RETURNS 1, or 0 where the load is not this loader's
local function load_expiries(keys, args)
  local limit = tonumber(args[3])
  if #keys ~= 2 or not limit or #args % 2 == 0 or not are_moments(args, 6, #args) then
    return refusal('scrip_load_v1', 'keys and arguments do not fit together')
  end
  local kind, mine = args[2], 'loading ' .. args[1]
  if kind ~= 'more' then
    local mark = redis.call('GET', keys[2])
    if kind == 'first' then
      if mark and mark ~= mine and loaded_state(mark) == 2 then return 0 end
    elseif mark ~= mine then
      return 0
    end
  end
  put_expiries(keys[1], 'NX', { unpack(args, 6) }, limit)
  redis.call('PEXPIRE', keys[1], args[4])
  if kind == 'last' then
    redis.call('SET', keys[2], this_run(), 'PX', args[4])
  elseif kind ~= 'more' then
    redis.call('SET', keys[2], mine, 'PX', args[5])
  end
  return 1
end

redis.register_function('scrip_admit_v1', admit)
redis.register_function('scrip_publish_v2', publish_with_holds)
redis.register_function('scrip_due_v1', due)
redis.register_function('scrip_load_v1', load_expiries)
