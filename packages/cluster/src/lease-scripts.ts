/** What must happen in one step inside Redis: to look who holds a key, and to set or delete it. */

/**
 * KEYS[1] the stream; ARGV: the place, milliseconds of the lease, instance, address, `1` to take it from whoever has it.
 * Answers nil when the lease is held, else the place that holds it.
 */
export const announceScript = `
local current = redis.call('GET', KEYS[1])
if current and current ~= ARGV[1] and ARGV[5] ~= '1' then
  local isText, place = pcall(cjson.decode, current)
  local gives_way = false
  if isText and type(place) == 'table' then
    gives_way = place.instance == ARGV[3] or place.address == ARGV[4]
    if type(place.hops) == 'table' then
      for _, hop in ipairs(place.hops) do gives_way = gives_way or hop == ARGV[3] end
    end
  end
  if not gives_way then return current end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false`;

/** KEYS[1] the stream; ARGV[1] the instance that gives it up. */
export const withdrawScript = `
local current = redis.call('GET', KEYS[1])
if not current then return 0 end
local isText, place = pcall(cjson.decode, current)
if isText and type(place) == 'table' and place.instance == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;
