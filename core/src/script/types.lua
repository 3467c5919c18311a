---@meta deployer
-- What `require "deployer"` gives to deployment files, for editors and checkers that know LuaLS annotations.
-- Print it with `deployer types > deployer-types.lua`, beside your deployment file. It is never run.

---@class deployer
---@field ALL_HOSTS deployer.AllHosts In map_roles: the hosts of all roles of the parent.
---@field Node deployer.Class The base of nodes that act once, on all their hosts.
---@field ParallelNode deployer.Class The base of nodes that act once for each host of the role `host`.
---@field LocalHost deployer.HostDefinition The machine that deployer runs on; with a table, the same under another slug.
---@field Q deployer.Query Where queries begin: `Q.parent.branch`, `Q("%s-%s") % { Q.a, Q.b }`.
---@field groups deployer.groups
---@field filters deployer.filters
---@field contrib table<string, deployer.Class> Classes that the program brings along.
local deployer = {}

-- Classes ------------------------------------------------------------------------------------------------------------

---@class deployer.AllHosts

--- A node class. Called with a table of members it makes a subclass; called with a name first, the subclass has that name.
--- In its functions `self` is a node, so whatever nodes have is known here too.
---@class deployer.Class: deployer.Env
---@field Array deployer.Class A parallel class as the child of a normal node: one cell for each host of the role `host`.
---@field JustOne deployer.Class A parallel class with exactly one host, as the child of a normal node.
---@overload fun(members: deployer.Members): deployer.Class
---@overload fun(name: string): fun(members: deployer.Members): deployer.Class

--- Members of a class by name: values, functions (actions), child classes, queries, required values. `Child__name`
--- overrides a member of a child.
---@class deployer.Members
---@field Hosts? table<string, deployer.Hosts|deployer.HostDefinition|deployer.HostDefinition[]>|deployer.RoleMapping|deployer.Hosts Hosts by role.
---@field [string] any

---@class deployer.RoleMapping
---@overload fun(class: deployer.Class): deployer.Class

---@class deployer.Required
---@class deployer.Marked

--- Roles of the parent for the roles of this class: `map_roles { host = "web", extra = { "a", "b" } }`. Roles without a
--- name go to `host`.
---@param ... string|deployer.AllHosts|table<string|integer, string|string[]|deployer.AllHosts>
---@return deployer.RoleMapping
function deployer.map_roles(...) end

--- A value that whoever uses the class has to give.
---@param what_for? string
---@return any
function deployer.required_property(what_for) end

--- The same as required_property.
---@param what_for? string
---@return any
function deployer.required(what_for) end

--- A value that is computed when it is read.
---@param code fun(self: deployer.Class): any
---@return any
function deployer.property(code) end

--- An action whose result the shell does not show.
---@param action function|deployer.Marked
---@return function
function deployer.suppress_action_result(action) end

--- An action that runs once on an array, instead of once in each cell.
---@param action function|deployer.Marked
---@return function
function deployer.dont_isolate_yet(action) end

--- An action that runs in one cell, which the operator chooses.
---@param action function|deployer.Marked
---@return function
function deployer.isolate_one_only(action) end

--- An action with a second name.
---@param name string
---@param action? function|deployer.Marked
---@return function
function deployer.alias(name, action) end

--- A group of nodes; called with a class it gives that class in the group.
---@class deployer.Group
---@field name string
---@field color? deployer.Color
---@overload fun(class: deployer.Class): deployer.Class

---@alias deployer.Color "grey"|"red"|"green"|"yellow"|"blue"|"magenta"|"cyan"|"white"

---@class deployer.groups
---@field production deployer.Group
---@field staging deployer.Group
---@field beta deployer.Group
---@field ["local"] deployer.Group
---@field other deployer.Group
---@field utility deployer.Group

---@param settings { name: string, color?: deployer.Color }
---@return deployer.Group
function deployer.Group(settings) end

---@param group deployer.Group
---@return deployer.Group
function deployer.set_group(group) end

-- Hosts as they are written down -------------------------------------------------------------------------------------

--- A host. Called with a table it makes another one with the same settings otherwise.
---@class deployer.HostDefinition
---@field slug string
---@field address string
---@field port? integer
---@field username? string
---@field key_filename? string
---@field config_filename? string
---@field timeout? number
---@field keepalive? number
---@field idle_timeout? number
---@overload fun(settings: deployer.HostSettings): deployer.HostDefinition

--- What is not set comes from `~/.ssh/config`.
---@class deployer.HostSettings
---@field slug? string Short name, unique within a role.
---@field address? string Name or number to connect to; the slug when it is not set.
---@field port? integer
---@field username? string
---@field password? string Login password, also for sudo.
---@field key_filename? string
---@field key? string The private key itself.
---@field rsa_key? string The same as key.
---@field key_password? string
---@field rsa_key_password? string The same as key_password.
---@field timeout? number Seconds for connecting.
---@field keepalive? number Seconds between two signs of life; 30 when nobody says otherwise.
---@field idle_timeout? number Seconds for which a connection is kept that nobody uses; 600 when not set.
---@field config_filename? string Instead of `~/.ssh/config`.
---@field host_keys? "strict"|"accept-new"|"ask" What happens to unknown host keys.
---@field reject_unknown_hosts? boolean true is the same as `host_keys = "strict"`.
---@field known_hosts? string|string[]
---@field proxy_jump? string|deployer.HostDefinition|(string|deployer.HostDefinition)[] Hosts to go through, nearest first, as `"anna@bastion:2222"` or hosts; `"none"` for none.
---@field proxy_command? string A program to go through; `%h`, `%p`, `%r` and `%n` are replaced.
---@field helper_shell? boolean Commands that nobody watches share a shell kept open on the host; false when not set.

---@param settings deployer.HostSettings
---@return deployer.HostDefinition
function deployer.SSHHost(settings) end

---@class deployer.CommandHostSettings: deployer.HostSettings
---@field wrapper string[] The command put before each command, as words: `{ "docker", "exec", "-i", "box" }`.
---@field terminal_wrapper? string[] The same for runs in a terminal, where it differs: `{ "docker", "exec", "-it", "box" }`.
---@field takes_line? boolean The wrapper takes one line for a shell on the other side, as `ssh` and `su -c` do; false when not set.

--- A host behind a command on the machine that deployer runs on: a container, a namespace, a chroot.
---@param settings deployer.CommandHostSettings
---@return deployer.HostDefinition
function deployer.CommandHost(settings) end

-- Nodes in actions ---------------------------------------------------------------------------------------------------

--- `self`: a node that can act. Its members are read as attributes, its cells as `self[1]`, `self["slug"]`, `self[host]`.
---@class deployer.Env
---@field hosts deployer.Hosts All its hosts.
---@field host deployer.Host The one host, in a cell.
---@field parent any The node above.
---@field console deployer.Console
---@field [string] any
---@field [integer] any
---@overload fun(...: any): any
local Env = {}

--- The cells of an array, one after the other.
---@return fun(): any
function Env:cells() end

--- A class as the root of a tree of its own.
---@param class deployer.Class
---@return any
function Env:initialize_node(class) end

---@class deployer.RunOptions
---@field interactive? boolean Whether it may talk to the operator's terminal (default true).
---@field ignore_exit_status? boolean Whether ending badly is no error (default false).
---@field use_sudo? boolean
---@field user? string Run as this user, by sudo.
---@field silent? boolean Whether its output stays off the terminal (default false).
---@field sandbox? boolean Only check the syntax.
---@field initial_input? string Typed once it has started.
---@field timeout? number Seconds until it is ended.

---@class deployer.CdOptions
---@field expand? boolean Let the shell of the host expand `~` and variables.
---@field glob? boolean Let it expand patterns too.

---@class deployer.EnvOptions
---@field escape? boolean Whether the value is quoted (default true).

---@class deployer.SudoOption
---@field use_sudo? boolean

--- An open block; `local _ <close> = ...` undoes it at the end of the scope.
---@class deployer.Guard

--- What one host and several have in common.
---@class deployer.Runner
local Runner = {}

--- Runs a command. Fails unless it ends with status 0.
---@param command string
---@param options? deployer.RunOptions
---@return any
function Runner:run(command, options) end

--- The same as root.
---@param command string
---@param options? deployer.RunOptions
---@return any
function Runner:sudo(command, options) end

--- Commands within run in this directory.
---@param path string
---@param options? deployer.CdOptions|fun(): any
---@param block? fun(): any
---@return any
function Runner:cd(path, options, block) end

--- Commands within have this variable.
---@param name string
---@param value? string
---@param options? deployer.EnvOptions|fun(): any
---@param block? fun(): any
---@return any
function Runner:env(name, value, options, block) end

--- Commands within run behind this one: `prefix && command`.
---@param command string
---@param block? fun(): any
---@return any
function Runner:prefix(command, block) end

--- Whether there is a file or directory; sudo is used unless the option says otherwise. nil: unknown in a sandbox.
---@param path string
---@param options? deployer.SudoOption
---@return any
function Runner:exists(path, options) end

--- The directory that the next command runs in.
---@return any
function Runner:getcwd() end

--- Whether a shell there knows this command. nil: unknown in a sandbox.
---@param name string
---@param options? deployer.SudoOption
---@return any
function Runner:has_command(name, options) end

--- The hosts of a node. What is asked of them gives a list, in order; `hosts[1]` is one of them, `#hosts` how many.
---@class deployer.Hosts: deployer.Runner
---@field roles string[]
---@field [integer] deployer.Host
---@operator len: integer
local Hosts = {}

--- Only these roles.
---@param ... string
---@return deployer.Hosts
function Hosts:filter(...) end

--- One host after the other; one in two roles comes twice.
---@return fun(): deployer.Host
function Hosts:each() end

--- The different hosts, as they were written down.
---@return deployer.HostDefinition[]
function Hosts:get_hosts() end

--- One host of a node.
---@class deployer.Host: deployer.Runner
---@field slug string
---@field address string
---@field definition deployer.HostDefinition
local Host = {}

--- Its network interfaces that have an address. nil: unknown in a sandbox.
---@return deployer.IfConfig?
function Host:ifconfig() end

--- Opens a file: "r" to read (the default), "w" to replace it, "a" to add to its end. With a function, the file is
--- closed when that ends; if an error ends it, nothing was written. Without one, close it, or hold it as
--- `local file <close> = host:open(...)`.
---@param path string Relative to the directory of `cd`; a tilde is expanded.
---@param mode? "r"|"w"|"a"|"rb"|"wb"|"ab"
---@param options? deployer.OpenOptions|fun(file: deployer.File): any
---@param block? fun(file: deployer.File): any
---@return any
function Host:open(path, mode, options, block) end

--- Uploads a file. What is there is replaced in one step and keeps its owner and permissions.
---@param here string On this machine; a tilde is expanded.
---@param there string On the host.
---@param options? deployer.TransferOptions
function Host:put_file(here, there, options) end

--- Downloads a file.
---@param there string On the host.
---@param here string On this machine.
---@param options? deployer.TransferOptions
function Host:get_file(there, here, options) end

--- What is known about a file; links are followed. nil: unknown in a sandbox.
---@param path string
---@return deployer.Stat?
function Host:stat(path) end

--- What is known about a file, or a link itself.
---@param path string
---@return deployer.Stat?
function Host:lstat(path) end

--- The names in a directory, sorted.
---@param path? string The current one.
---@return string[]?
function Host:listdir(path) end

--- The same with what is known about each; links are not followed.
---@param path? string The current one.
---@return deployer.Stat[]?
function Host:listdir_stat(path) end

--- A path as it is used for files: absolute, with a tilde expanded.
---@param path string
---@return string?
function Host:expand_path(path) end

--- The home directory of the login user, or of another one.
---@param user? string
---@return string?
function Host:get_home_directory(user) end

--- The address of an interface; empty when it has none.
---@param interface? string Default "eth0".
---@return string?
function Host:get_ip_address(interface) end

--- What the host calls itself.
---@return string?
function Host:hostname() end

--- Whether its processor works with 64 bits.
---@return boolean?
function Host:is_64_bit() end

--- The login shell, in this terminal, until it ends.
---@param options? deployer.ShellOptions
function Host:start_interactive_shell(options) end

---@class deployer.ShellOptions
---@field initial_input? string Typed first.

---@class deployer.OpenOptions
---@field use_sudo? boolean As root; owner and permissions stay.
---@field mode? string Permissions of a new file: octal digits, "640".
---@field in_place? boolean Write over the file instead of replacing it in one step.
---@field sandbox? boolean Touch nothing.
---@field silent? boolean Not logged.

---@class deployer.TransferOptions
---@field use_sudo? boolean As root; owner and permissions stay.
---@field recursive? boolean A directory with everything in it.
---@field preserve? boolean Permissions and times exactly as they are.
---@field mode? string Permissions of a new file: octal digits, "640".
---@field in_place? boolean Write over the file instead of replacing it in one step.
---@field sandbox? boolean Touch nothing.
---@field silent? boolean Not logged, no progress.

--- An open file of a host. Contents are bytes.
---@class deployer.File
local File = {}

--- All the rest, or so many bytes; "" at the end.
---@param bytes? integer
---@return string
function File:read(bytes) end

--- The next line with its line end; "" at the end.
---@return string
function File:readline() end

--- One line after the other.
---@return fun(): string
function File:lines() end

---@param text string
function File:write(text) end

--- What was written takes the place of the old file.
function File:close() end

---@class deployer.Stat
---@field name string Without the directory.
---@field size integer Bytes.
---@field uid integer
---@field gid integer
---@field mode string Permissions, octal digits.
---@field is_file boolean
---@field is_dir boolean
---@field is_symlink boolean Only where links are not followed.
---@field accessed integer Seconds since 1970.
---@field modified integer Seconds since 1970.

--- What a command printed: text in every use as text, with the methods of text. `==` never equals plain text: write
--- `tostring(result) == "x"` or `result.text == "x"`.
---@class deployer.Result: string
---@field stdout string
---@field stderr string Empty where the command had a terminal.
---@field text string stdout without line ends at its end.
---@field status? integer nil when a signal ended it.
---@field signal? string Name of the signal, without SIG.
---@field ok boolean Whether the status is 0.

--- The results of all cells, in host order: `r[1]`, `r["slug"]`, `r[cell]`, `#r`.
---@class deployer.ParallelResult
---@field [any] any
---@operator len: integer
local ParallelResult = {}

--- Ends at a value that is nil; items do not.
---@return fun(): any
function ParallelResult:values() end

---@return fun(): any
function ParallelResult:keys() end

--- The same as keys.
---@return fun(): any
function ParallelResult:cells() end

---@return fun(): any, any
function ParallelResult:items() end

--- What `pcall` catches; prints as its message.
---@class deployer.Error
---@field kind "run"|"connect"|"host"|"file"|"interrupted"|"usage"|"parallel"|"required"|"unknown"|"class"|"query"|"script"|"no_input"|"forbidden"
---@field message string
---@field position? string File and line.
---@field traceback? string
---@field host? string Slug.
---@field address? string
---@field reason? string Why there is no connection, or what is wrong with a file.
---@field path? string Of a file on the host (`file`).
---@field command? string
---@field use_sudo? boolean
---@field status? integer
---@field signal? string
---@field output? deployer.Result
---@field stdout? string
---@field stderr? string
---@field outcomes? deployer.Outcome[] Of all cells or hosts, in order.
---@field name? string Of a required value.
---@field node? string Path.
---@field query? string As it was written.
---@field inner? deployer.Error Why the query failed.
---@field question? string That has no answer.
---@field value? any What the script raised.

---@class deployer.Outcome
---@field label string Slug of the cell or host.
---@field outcome "ok"|"failed"|"skipped"|"interrupted"|"not started"
---@field seconds? number Time taken, of a cell.
---@field value? any
---@field error? deployer.Error

--- Questions to the operator. Without one, defaults are taken; a question without a default is an error (`no_input`).
---@class deployer.Console
---@field is_interactive boolean Whether somebody is there.
local Console = {}

---@param question string
---@param options? { default?: boolean }
---@return boolean
function Console:confirm(question, options) end

---@param label string
---@param options? { is_password?: boolean, answers?: string[], default?: string } The default is one of the answers.
---@return string
function Console:input(label, options) end

--- The value that is chosen, by its number. Options are words, or pairs of a name and a value.
---@param question string
---@param options (string|{ [1]: string, [2]: any })[]
---@param settings? { default?: any, allow_random?: boolean }
---@return any
function Console:choice(question, options, settings) end

---@param text string
function Console:warning(text) end

--- A node at or below `root`, picked by its path, which Tab completes; of an array also the cell.
---@param root any
---@param prompt? string
---@param options? { filter?: deployer.Filter }
---@return any
function Console:select_node(root, prompt, options) end

--- A cell of a parallel node, picked by number or at random; the only one without a question.
---@param node any
---@return any
function Console:select_node_isolation(node) end

--- The items in as many columns as the terminal has room for, as a list of lines.
---@param items string[]
---@param options? { margin_left?: integer }
---@return string[]
function Console:in_columns(items, options) end

--- Shows lines page by page; `q` stops.
---@param lines string[]|string
function Console:lesspipe(lines) end

--- A line that says how far something is, while the function runs or until its variable (`local bar <close> = ...`) is
--- closed. A format may have `{message}`, `{counter}`, `{expected}`, `{percentage}`, `{duration}` and `{status}`.
---@param message string
---@param options? { expected?: integer, clear_on_finish?: boolean, format?: string }
---@param block? fun(bar: deployer.ProgressBar): any
---@return any
function Console:progress_bar(message, options, block) end

--- The same with a text for each count; the highest is the end.
---@param message string
---@param options { steps: table<integer, string>, clear_on_finish?: boolean, format?: string }
---@param block? fun(bar: deployer.ProgressBar): any
---@return any
function Console:progress_bar_with_steps(message, options, block) end

---@class deployer.ProgressBar
local ProgressBar = {}

--- Adds one; drawn ten times a second at most.
function ProgressBar:next() end

--- Goes to a count.
---@param count integer
---@param options? { rewrite?: boolean } Whether it is drawn at once; yes unless said otherwise.
function ProgressBar:set_progress(count, options) end

-- Queries ------------------------------------------------------------------------------------------------------------

--- An expression over the tree, evaluated when the member is read. Any attribute, call and `[index]` makes a longer one;
--- `Q.parent("Name")` is the nearest node above whose class has that name.
---@class deployer.Query
---@field parent deployer.Query
---@field eq fun(a: any, b: any): deployer.Query Whether both are equal: Lua keeps `==` for itself.
---@field lt fun(a: any, b: any): deployer.Query
---@field [any] deployer.Query
---@operator add(any): deployer.Query
---@operator sub(any): deployer.Query
---@operator mul(any): deployer.Query
---@operator div(any): deployer.Query
---@operator mod(any): deployer.Query
---@operator concat(any): deployer.Query
---@operator band(any): deployer.Query
---@operator bor(any): deployer.Query
---@operator bnot: deployer.Query
---@operator unm: deployer.Query
---@overload fun(...: any): deployer.Query

-- Inspection ---------------------------------------------------------------------------------------------------------

--- Looks at a node without acting.
---@param node deployer.Env
---@return deployer.Inspector
function deployer.Inspector(node) end

---@class deployer.ScopeOption
---@field include_private? boolean Names with an underscore in front too (default true).

---@class deployer.PathOption
---@field style? "names"|"nodes"|"both" Default "names"; "both" gives tables with `node` and `name`.

---@class deployer.KeyOption
---@field style? "slug"|"index"|"host" Default "slug".

---@class deployer.Inspector
local Inspector = {}

---@return string
function Inspector:get_name() end

---@param options? deployer.PathOption
---@return any[]
function Inspector:get_path(options) end

---@return any
function Inspector:get_root() end

---@return any
function Inspector:get_parent() end

---@return deployer.Group?
function Inspector:get_group() end

---@param options? deployer.ScopeOption
---@return any[]
function Inspector:get_childnodes(options) end

---@param name string
---@return any
function Inspector:get_childnode(name) end

---@param name string
---@return boolean
function Inspector:has_childnode(name) end

---@param options? deployer.ScopeOption
---@return deployer.Member[]
function Inspector:get_actions(options) end

---@param name string
---@return deployer.Member
function Inspector:get_action(name) end

---@param name string
---@return boolean
function Inspector:has_action(name) end

---@param options? deployer.ScopeOption
---@return deployer.Member[]
function Inspector:get_properties(options) end

---@param name string
---@return deployer.Member
function Inspector:get_property(name) end

---@param name string
---@return boolean
function Inspector:has_property(name) end

---@param options? deployer.ScopeOption
---@return deployer.Member[]
function Inspector:get_queries(options) end

---@param name string
---@return deployer.Member
function Inspector:get_query(name) end

---@param name string
---@return boolean
function Inspector:has_query(name) end

---@param name string
---@return boolean
function Inspector:suppress_result_for_action(name) end

---@return boolean
function Inspector:is_callable() end

---@return boolean
function Inspector:is_isolated() end

---@param options? deployer.KeyOption
---@return { key: any[], node: any }[]
function Inspector:get_isolations(options) end

---@param key any
---@return any
function Inspector:get_isolation(key) end

---@param options? deployer.KeyOption
---@return any[]
function Inspector:get_isolation_identifier(options) end

--- The value of every part of a query, the whole last.
---@param name string
---@return { query: string, value: any }[]
function Inspector:trace_query(name) end

--- The node and all below it, breadth first.
---@param filter? deployer.Filter
---@return deployer.Walk
function Inspector:walk(filter) end

--- `for node in walk do`, `walk[1]`, `#walk`; as often as wanted.
---@class deployer.Walk
---@field [integer] any
---@operator len: integer
---@overload fun(_: nil, last: any): any
local Walk = {}

---@param filter deployer.Filter
---@return deployer.Walk
function Walk:filter(filter) end

--- The cell with this key instead of each array; arrays without it are left out.
---@param key any
---@return deployer.Walk
function Walk:prefer_isolation(key) end

--- Calls an action on each node, once for each cell; gives the cell and what the action gave.
---@param name string
---@param ... any
---@return fun(): any, any
function Walk:call_action(name, ...) end

--- An action, property or query of a node; calling it runs or evaluates it.
---@class deployer.Member
---@field name string
---@field kind "action"|"property"|"query"
---@field node any
---@field doc? string
---@field parameters? string[]
---@field suppress_result boolean
---@field required boolean
---@field group? deployer.Group Of its own node.
---@field position? string File and line.
---@overload fun(...: any): any

--- Which nodes are wanted.
---@class deployer.Filter
---@operator band(deployer.Filter): deployer.Filter
---@operator bor(deployer.Filter): deployer.Filter
---@operator bnot: deployer.Filter

---@class deployer.filters
---@field PublicOnly deployer.Filter
---@field PrivateOnly deployer.Filter
local filters = {}

---@param name string
---@return deployer.Filter
function filters.HasAction(name) end

---@param class deployer.Class
---@return deployer.Filter
function filters.IsInstance(class) end

---@param group deployer.Group
---@return deployer.Filter
function filters.InGroup(group) end

-- Words and texts ----------------------------------------------------------------------------------------------------

--- Text for use between single quotes of a shell.
---@param text string|number
---@return string
function deployer.esc1(text) end

--- Text for use between double quotes; dollars and backticks stay active.
---@param text string|number
---@return string
function deployer.esc2(text) end

---@param text string|number
---@param prefix? string Four spaces by default.
---@return string
function deployer.indent(text, prefix) end

--- Options of the sessions that use this file; `show-options` in the shell lists them. Flags and `set-option` win.
---@param options { parallel_view?: "tiled"|"fold"|"lines"|"windows", parallel?: integer|"all", keep_panes_open?: boolean, new_window_key?: string, detach_key?: string }
function deployer.options(options) end

--- The content of a file on the machine of deployer; its name is relative to the deployment file.
---@param name string
---@return string
function deployer.read_file(name) end

---@param output string
---@param options? { only_active_interfaces?: boolean } Default true: only those with an address.
---@return deployer.IfConfig
function deployer.parse_ifconfig_output(output, options) end

---@class deployer.IfConfig
---@field interfaces deployer.NetworkInterface[]
---@operator len: integer
local IfConfig = {}

---@param name string
---@return deployer.NetworkInterface
function IfConfig:get_interface(name) end

---@param ip string
---@return deployer.NetworkInterface
function IfConfig:get_address(ip) end

---@class deployer.NetworkInterface
---@field name string
---@field ip? string

return deployer
