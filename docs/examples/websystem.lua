local deployer = require "deployer"
local Node, ParallelNode, SSHHost = deployer.Node, deployer.ParallelNode, deployer.SSHHost
local Q, map_roles, required, esc1 = deployer.Q, deployer.map_roles, deployer.required_property, deployer.esc1

local web1 = SSHHost { slug = "web1", address = "10.0.0.11", username = "deploy", key_filename = "~/.ssh/id_ed25519" }
local web2 = web1 { slug = "web2", address = "10.0.0.12" }              -- host settings are inherited too
local db   = SSHHost { slug = "db" }                                     -- the rest comes from ~/.ssh/config

--- Abstraction for any service with start/stop/status.
local Service = Node { name = required "name of the unit" }
--- Start it.
function Service:start()  return self.hosts:sudo("systemctl start '" .. esc1(self.name) .. "'") end
function Service:status() return self.hosts:run("systemctl status '" .. esc1(self.name) .. "'") end

--- Git checkouts of the web servers.
local Git = ParallelNode { directory = required(), branch = Q.parent.branch }
function Git:checkout(commit)
  self.host:cd(self.directory, { expand = true }, function()
    self.host:run("git fetch && git checkout '" .. esc1(commit or self.branch) .. "'")
  end)
end

--- roles: web, db
local WebSystem = Node {
  branch   = "main",
  Database = Service { Hosts = map_roles { host = "db" }, name = "postgresql" },
  Code     = Git.Array { Hosts = map_roles { host = "web" }, directory = "~/app" },
}

return Node {
  production = deployer.groups.production(WebSystem { Hosts = { web = { web1, web2 }, db = db } }),
  staging    = WebSystem { Hosts = { web = { web1 }, db = { web1 } }, Code__directory = "~/app-staging", branch = "next" },
}
