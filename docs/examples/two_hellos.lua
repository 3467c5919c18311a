local deployer = require "deployer"
local Node, LocalHost, SSHHost = deployer.Node, deployer.LocalHost, deployer.SSHHost

local my_host = SSHHost { slug = "my-host", address = "192.168.0.200", username = "john" }

--- Says hello, wherever its hosts are.
local SayHello = Node {}

--- Say it.
function SayHello:hello()
  self.hosts:run "echo hello world"
end

return Node {
  local_hello  = SayHello { Hosts = { host = LocalHost } },
  remote_hello = SayHello { Hosts = { host = my_host } },
}
