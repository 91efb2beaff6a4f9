/**
 * The part of the scripts that adds up what gateways spend and reserve.
 *
 * @module
 */

/** Functions for sums. Scripts call `publish` at their end. */
export const SUMS = `
local base = KEYS[1]
local touched = {}
local function text(number) return string.format("%.0f", number) end
local function add(kind, account, amount, requests)
  if amount == 0 and requests == 0 then return end
  local scopes = {"all"}
  if account.key ~= "" then scopes[#scopes + 1] = "key:" .. account.key end
  if account.team ~= "" then scopes[#scopes + 1] = "team:" .. account.team end
  for _, scope in ipairs(scopes) do
    local name = base .. ":balance:" .. scope
    touched[scope] = true
    redis.call("HINCRBY", name, kind .. ":total", text(amount))
    if account.day ~= "" then
      redis.call("HINCRBY", name, kind .. ":" .. string.sub(account.day, 1, 7), text(amount))
      redis.call("HINCRBY", name, kind .. ":" .. account.day, text(amount))
      if requests ~= 0 then redis.call("HINCRBY", name, "n:" .. account.day, text(requests)) end
    end
  end
end
local function publish()
  for scope in pairs(touched) do
    redis.call("ZADD", base .. ":changed", redis.call("INCR", base .. ":seq"), scope)
  end
end
local function numbers(line)
  local found = {}
  for part in string.gmatch(line or "", "%-?%d+") do found[#found + 1] = tonumber(part) end
  return found
end
local function addRow(name, field, counts)
  local sums = numbers(redis.call("HGET", name, field))
  for i = 1, 8 do sums[i] = text((sums[i] or 0) + counts[i]) end
  redis.call("HSET", name, field, table.concat(sums, " "))
end
local function lostRow(reservation, sign)
  local counts = {sign, 0, 0, 0, 0, 0, 0, sign * tonumber(reservation.amount)}
  add("s", reservation, counts[8], sign)
  add("e", reservation, counts[8], 0)
  addRow(base .. ":rows:ended", reservation.field, counts)
end
local function time()
  local now = redis.call("TIME")
  return tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
end
`;
