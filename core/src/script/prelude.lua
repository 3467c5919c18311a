-- The part of the deployer module that is written in Lua: what may suspend, and what a script sees of the language.
-- Natives are called here without a tail call, so that this file's frames stay recognisable in positions.

local native = ...
local pairs, select, tonumber, tostring, type = pairs, select, tonumber, tostring, type
local raw_xpcall, raw_load, raw_setmetatable, rawget = xpcall, load, setmetatable, rawget
local collect, concat, pack, unpack, getmetatable = collectgarbage, table.concat, table.pack, table.unpack, getmetatable
local string = string

-- Calls --------------------------------------------------------------------------------------------------------------

local exports = {}

-- The whole of a coroutine: an action with its error handler, told apart by the number of its call.
function exports.invoke(number, f, ...)
  native.enter(number)
  return raw_xpcall(f, native.on_error, ...)
end

-- The same outside a coroutine: the file itself.
function exports.protect(f, ...)
  return raw_xpcall(f, native.on_error, ...)
end

function exports.env_index(self, key)
  local found, value = native.look_up(self, key)
  if not found then
    value = native.get(self, key)
  end
  return value
end

exports.call_bound = native.call_bound
exports.call_unbound = native.call_unbound
exports.call_node = native.call_node
exports.initialize_node = native.initialize_node

-- Iterates over a list with a known length; entries may be nil.
local function each(entry, of, last)
  local number = 0
  return function()
    number = number + 1
    if number <= last then
      return entry(of, number)
    end
  end
end

local function in_list(list, number)
  local value = list[number]
  return value
end

function exports.cells(self)
  local list = native.cell_list(self)
  return each(in_list, list, #list)
end

-- Hosts --------------------------------------------------------------------------------------------------------------

exports.hosts_run = native.run
exports.hosts_sudo = native.sudo
exports.hosts_filter = native.filter
exports.hosts_get_hosts = native.get_hosts
exports.hosts_exists = native.exists
exports.hosts_getcwd = native.getcwd
exports.hosts_has_command = native.has_command
exports.hosts_ifconfig = native.ifconfig
exports.hosts_get_ip_address = native.get_ip_address
exports.hosts_hostname = native.hostname
exports.hosts_is_64_bit = native.is_64_bit
exports.hosts_start_interactive_shell = native.start_interactive_shell
exports.hosts_put_file = native.files_put_file
exports.hosts_get_file = native.files_get_file
exports.hosts_stat = native.files_stat
exports.hosts_lstat = native.files_lstat
exports.hosts_listdir = native.files_listdir
exports.hosts_listdir_stat = native.files_listdir_stat
exports.hosts_expand_path = native.files_expand_path
exports.hosts_get_home_directory = native.files_get_home_directory

function exports.hosts_each(hosts)
  return each(in_list, hosts, #hosts)
end

function exports.hosts_pairs(hosts)
  local function step(_, number)
    local host = hosts[number + 1]
    if host then
      return number + 1, host
    end
  end
  return step, hosts, 0
end

-- Runs a function while something is open. It is closed on every way out, also when the run is interrupted.
local function inside(guard, block)
  local _ <close> = guard
  return block()
end

local function opened(guard, block)
  if block == nil then
    return guard
  end
  return inside(guard, block)
end

function exports.hosts_cd(hosts, path, options, block)
  if type(options) == "function" then options, block = nil, options end
  native.check_block("cd", block)
  return opened(native.open_cd(hosts, path, options), block)
end

function exports.hosts_env(hosts, name, value, options, block)
  if type(options) == "function" then options, block = nil, options end
  native.check_block("env", block)
  return opened(native.open_env(hosts, name, value, options), block)
end

function exports.hosts_prefix(hosts, command, block)
  native.check_block("prefix", block)
  return opened(native.open_prefix(hosts, command), block)
end

-- A block that ends well closes its file; one that an error ends leaves what was there before.
local file_methods = native.methods.file
function exports.file_leave(file, failure)
  if failure == nil then
    file_methods.close(file)
  else
    native.drop_file(file)
  end
end

local function with_open(thing, block)
  local _ <close> = thing
  return block(thing)
end

function exports.hosts_open(host, path, mode, options, block)
  if type(mode) == "function" then mode, block = nil, mode end
  if type(options) == "function" then options, block = nil, options end
  native.check_block("open", block)
  local file = native.files_open(host, path, mode, options)
  if block == nil then
    return file
  end
  return with_open(file, block)
end

function file_methods.lines(file)
  return function()
    local line = file_methods.readline(file)
    if line ~= "" then
      return line
    end
  end
end

-- A progress bar around a block, or until its variable is closed.
local console_methods = native.methods.console
function exports.progress_leave(bar, failure)
  native.end_progress(bar, failure == nil)
end

for _, word in pairs({ "progress_bar", "progress_bar_with_steps" }) do
  local open = native["open_" .. word]
  console_methods[word] = function(console, message, options, block)
    if type(options) == "function" then options, block = nil, options end
    native.check_block(word, block)
    local bar = open(console, message, options)
    if block == nil then
      return bar
    end
    return with_open(bar, block)
  end
end

-- Repeating nothing, or moving a range without end, would keep Lua's own code busy where nobody can stop it.
local RANGE_MAX = 10000000
local repeated, move = string.rep, table.move
function string.rep(text, count, separator)
  if text == "" and (separator or "") == "" then
    return ""
  end
  local result = repeated(text, count, separator)
  return result
end

function table.move(from, first, last, ...)
  if last - first > RANGE_MAX then
    native.fail("table.move of more than " .. RANGE_MAX .. " entries")
  end
  local result = move(from, first, last, ...)
  return result
end

-- Results ------------------------------------------------------------------------------------------------------------

-- String methods that take a result as their text.
local text_methods = {}
for name, method in pairs(string) do
  text_methods[name] = function(self, ...)
    return method(tostring(self), ...)
  end
end
exports.text_methods = text_methods

function exports.output_index(self, key)
  local value = native.output_field(self, key)
  if value == nil then
    value = text_methods[key]
  end
  return value
end

local function value_at(result, number)
  local _, value = native.parallel_entry(result, number)
  return value
end

local function cell_at(result, number)
  local cell = native.parallel_entry(result, number)
  return cell
end

local parallel = {}

-- A loop over values ends at one that is nil: where that can be, items are what to go over.
function parallel.values(result)
  return each(value_at, result, #result)
end

function parallel.keys(result)
  return each(cell_at, result, #result)
end

function parallel.items(result)
  return each(native.parallel_entry, result, #result)
end

parallel.cells = parallel.keys
exports.parallel_items = parallel.items

function exports.parallel_index(self, key)
  local method = parallel[key]
  if method then
    return method
  end
  local value = native.parallel_value(self, key)
  return value
end

-- Inspection ---------------------------------------------------------------------------------------------------------

exports.call_entry = native.call_entry
exports.methods = native.methods
exports.methods.parallel = parallel

-- Each call begins when its result is asked for. The cell comes first: a result may be nil.
function exports.methods.walk.call_action(walk, name, ...)
  local args = pack(...)
  local cells, number = native.walk_cells(walk), 0
  return function()
    number = number + 1
    local cell = cells[number]
    if cell then
      return cell, native.call_bound(cell[name], unpack(args, 1, args.n))
    end
  end
end

-- The language -------------------------------------------------------------------------------------------------------

local function caught(ok, ...)
  if not ok then
    native.check_running()
  end
  return ok, ...
end

-- Errors of natives arrive as error objects, with the position where they were raised. A run that was interrupted
-- goes on being interrupted, whoever catches what.
function pcall(f, ...)
  return caught(raw_xpcall(f, native.note, ...))
end

function xpcall(f, handler, ...)
  -- The handler of an error that a hook raised runs without hooks: a loop in it could not be ended.
  local function noted(value)
    local error_object = native.note(value)
    if native.is_stopping() then
      return error_object
    end
    return handler(error_object)
  end
  return caught(raw_xpcall(f, noted, ...))
end

-- Finalizers run without hooks too, at any time: a loop in one could not be ended.
function setmetatable(value, metatable)
  if type(metatable) == "table" and rawget(metatable, "__gc") ~= nil then
    native.fail("__gc is not available here; use a to-be-closed variable (local x <close> = ...)")
  end
  return raw_setmetatable(value, metatable)
end

-- Text only: compiled chunks could crash the interpreter.
function load(chunk, name, _, ...)
  if select("#", ...) > 0 then
    local env = ...
    return raw_load(chunk, name, "t", env)
  end
  return raw_load(chunk, name, "t")
end

function collectgarbage(what)
  if what == "count" then
    return collect("count")
  end
  return collect("collect")
end

function print(...)
  local values = pack(...)
  for number = 1, values.n do
    values[number] = native.text(values[number])
  end
  native.print(concat(values, "\t", 1, values.n) .. "\n")
end

-- "text %s" % value, "text %s %s" % { a, b }
local string_meta = getmetatable("")
local remainder = string_meta.__mod
function string_meta.__mod(left, right)
  if native.is_query(right) then
    return native.query(left) % right
  end
  if type(right) == "table" then
    for number = 1, #right do
      if native.is_query(right[number]) then
        return native.query(left) % right
      end
    end
    return string.format(left, unpack(right))
  end
  if tonumber(left) and tonumber(right) then
    return remainder(left, right)
  end
  return string.format(left, right)
end

require = native.require
os = { clock = os.clock, date = os.date, difftime = os.difftime, getenv = os.getenv, time = os.time }
string.dump = nil
dofile, loadfile, coroutine, warn = nil, nil, nil, nil

raw_setmetatable(os, {
  __index = function(_, name)
    native.fail("os has no '" .. tostring(name) .. "' here: what is done on a machine is done by commands on hosts, as in "
      .. "`self.hosts:run(...)`")
  end,
})

raw_setmetatable(_G, {
  __index = function(_, name)
    native.unknown_name(name)
  end,
})

return exports
