"""The scripts behind ``ledger.py``. Each is atomic on the server, and its time is the server's.

Four kinds of keys below ``countersign:budget:``, all of which end by themselves with the last entry they are about:

    row:<account>   hash  name -> "<amount> <refs>"
    due:<account>   zset  name, by the unix milliseconds of its end
    sum:<account>   hash  held, committed: of what is in row:
    of:<name>       set   the accounts that hold an entry of that name

What is over is taken out, and off the sums, before anything is read: each entry once, so a long window costs no more
than a short one. Lua counts in doubles; no number here passes 2**53 (``AMOUNT_MAX``), and none is written in the %.14g
of Lua's own ``tostring``. Keys are made inside the scripts, so Redis Cluster is not for this (``open.py`` has none).
"""

from __future__ import annotations

_COMMON = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local prefix = ARGV[1]
local function text(number) return string.format('%.0f', number) end
local function of(account, name)
  local row = redis.call('HGET', prefix .. 'row:' .. account, name)
  if not row then return nil end
  local amount, refs = string.match(row, '^(%d+) (%d+)$')
  return tonumber(amount), tonumber(refs)
end
local function add(account, refs, amount)
  local which = 'committed'
  if refs == 0 then which = 'held' end
  redis.call('HINCRBY', prefix .. 'sum:' .. account, which, text(amount))
end
local function remove(account, name)
  local amount, refs = of(account, name)
  if amount then
    add(account, refs, 0 - amount)
    redis.call('HDEL', prefix .. 'row:' .. account, name)
  end
  redis.call('ZREM', prefix .. 'due:' .. account, name)
end
local function purge(account)
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'due:' .. account, '-inf', text(now))) do
    remove(account, name)
  end
end
local function standing(account)
  local sums = redis.call('HMGET', prefix .. 'sum:' .. account, 'held', 'committed')
  return tonumber(sums[1] or '0'), tonumber(sums[2] or '0')
end
local function last(account)
  return redis.call('ZRANGE', prefix .. 'due:' .. account, -1, -1, 'WITHSCORES')[2]
end
"""

RESERVE = (
    _COMMON
    + """
local name, mode, count = ARGV[2], ARGV[3], tonumber(ARGV[4])
local answer, entries, fits = {1}, {}, true
for i = 0, count - 1 do
  local account = ARGV[5 + 4 * i]
  local amount, bound = tonumber(ARGV[6 + 4 * i]), tonumber(ARGV[7 + 4 * i])
  local ends = now + tonumber(ARGV[8 + 4 * i])
  purge(account)
  local held, committed = standing(account)
  local own, refs = of(account, name)
  if own then
    if refs == 0 then held = held - own else
      committed = committed - own
      amount = math.max(own, amount)
    end
    ends = math.max(ends, tonumber(redis.call('ZSCORE', prefix .. 'due:' .. account, name)))
  else
    refs = 0
  end
  if mode == 'commit' then refs = refs + 1 elseif mode == 'resume' then refs = math.max(refs, 1) end
  fits = fits and held + committed + amount <= bound
  answer[#answer + 1] = text(held)
  answer[#answer + 1] = text(committed)
  entries[#entries + 1] = {account, amount, refs, ends}
end
if not fits then
  answer[1] = 0
  return answer
end
local latest = 0
for _, entry in ipairs(entries) do
  local account, amount, refs, ends = entry[1], entry[2], entry[3], entry[4]
  remove(account, name)
  redis.call('HSET', prefix .. 'row:' .. account, name, text(amount) .. ' ' .. text(refs))
  redis.call('ZADD', prefix .. 'due:' .. account, text(ends), name)
  add(account, refs, amount)
  redis.call('SADD', prefix .. 'of:' .. name, account)
  local over = text(tonumber(last(account)) + 1)
  for _, kind in ipairs({'row:', 'due:', 'sum:'}) do
    redis.call('PEXPIREAT', prefix .. kind .. account, over)
  end
  latest = math.max(latest, ends)
end
local index = prefix .. 'of:' .. name
redis.call('PEXPIREAT', index, text(math.max(latest + 1, now + redis.call('PTTL', index))))
return answer
"""
)

RELEASE = (
    _COMMON
    + """
local name, extent = ARGV[2], ARGV[3]
local index = prefix .. 'of:' .. name
for _, account in ipairs(redis.call('SMEMBERS', index)) do
  local amount, refs = of(account, name)
  if amount and extent == 'one' and refs > 1 then
    redis.call('HSET', prefix .. 'row:' .. account, name, text(amount) .. ' ' .. text(refs - 1))
  elseif amount and (extent ~= 'held' or refs == 0) then
    remove(account, name)
    redis.call('SREM', index, account)
  end
end
return 1
"""
)

ACCOUNTS = (
    _COMMON
    + """
local answer = {}
for i = 2, #ARGV do
  purge(ARGV[i])
  local held, committed = standing(ARGV[i])
  answer[#answer + 1] = text(held)
  answer[#answer + 1] = text(committed)
  answer[#answer + 1] = redis.call('ZCARD', prefix .. 'due:' .. ARGV[i])
end
return answer
"""
)
