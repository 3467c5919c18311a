local deployer = require "deployer"
local ParallelNode, SSHHost, esc1 = deployer.ParallelNode, deployer.SSHHost, deployer.esc1
local Q, required = deployer.Q, deployer.required_property

--- A virtualenv and what is installed in it.
local VirtualEnv = ParallelNode {
  location = required "the directory of the virtualenv",
  activate = Q(". %s/bin/activate") % { Q.location },
  requirements = {},
  packages = {},
}

--- Installs everything.
function VirtualEnv:setup()
  self.host:prefix(self.activate, function()
    for _, file in ipairs(self.requirements) do
      self.host:run("pip install -r '" .. esc1(self.host:expand_path(file)) .. "'")
    end
    for _, name in ipairs(self.packages) do
      self.host:run("pip install '" .. esc1(name) .. "'")
    end
  end)
end

--- A checkout of a repository.
local Git = ParallelNode {
  repository = required "where to clone from",
  directory = required "where the checkout is",
}

--- Clones the repository.
function Git:clone()
  local there = self.host:expand_path(self.directory)
  self.host:run("git clone '" .. esc1(self.repository) .. "' '" .. esc1(there) .. "'")
end

--- Checks a commit out.
---@param commit string
function Git:checkout(commit)
  self.host:cd(self.directory, { expand = true }, function()
    self.host:run("git checkout '" .. esc1(commit) .. "'")
  end)
end

--- A Django application: a checkout, and a virtualenv to run it in.
local Django = ParallelNode {
  code = Git { directory = "~/git/django-project" },
  env = VirtualEnv {
    requirements = { "~/git/django-project/requirements.txt" },
    packages = { "gunicorn" },
  },
}

--- Everything that a new server needs.
function Django:setup()
  self.code:clone()
  self.env:setup()
end

--- Runs a management command.
---@param command string
function Django:manage(command)
  self.host:prefix(self.env.activate, function()
    self.host:cd(self.code.directory, { expand = true }, function()
      self.host:run("python manage.py " .. command)
    end)
  end)
end

return Django {
  Hosts = { host = SSHHost { slug = "server", address = "192.168.1.1", username = "user" } },
  code__repository = "git@github.com:example/example.git",
  env__location = "~/.virtualenvs/project-env",
}
