-- A first deployment file. Save it as deploy.lua and try:
--
--   deployer run                          a shell: type `hello`, `greet World`, `machine uptime`, `help`, `exit`
--   deployer run -- hello                 one action, without the shell
--   deployer run --path machine -- disk   an action of a child node

local deployer = require "deployer"
local Node, LocalHost, esc1 = deployer.Node, deployer.LocalHost, deployer.esc1

--- What there is to know about a machine.
local Machine = Node {}

--- Since when it runs.
function Machine:uptime()
  self.hosts:run("uptime")
end

--- How full its root file system is.
function Machine:disk()
  self.hosts:run("df -h /")
end

--- The root of the tree: nodes have values, actions and children.
local Hello = Node "Hello" {
  -- Where commands run, by role. LocalHost is this machine; SSHHost { slug = "web1" } would be another one.
  Hosts = { host = LocalHost },

  greeting = "Hello",
  machine = Machine,
}

--- Say hello.
function Hello:hello()
  self.hosts:run("echo 'Hello from deployer'")
end

--- Greet somebody by name.
---@param name string
function Hello:greet(name)
  self.hosts:run("echo '" .. esc1(self.greeting .. ", " .. name .. "!") .. "'")
end

return Hello
