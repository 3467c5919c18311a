local deployer = require "deployer"
local ParallelNode, SSHHost, esc1 = deployer.ParallelNode, deployer.SSHHost, deployer.esc1

local server = SSHHost { slug = "server", address = "192.168.1.1", username = "user" }

local settings = [[
DEBUG = False
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
]]

local supervisor_config = [[
[program:django-project]
command = /home/user/.virtualenvs/project-env/bin/gunicorn project.wsgi
directory = /home/user/git/django-project
user = user
redirect_stderr = true
]]

--- A Django application on its hosts.
local Django = ParallelNode {
  Hosts = { host = server },
  repository = "git@github.com:example/example.git",
  directory = "~/git/django-project",
  activate = ". ~/.virtualenvs/project-env/bin/activate",
  supervisor_file = "/etc/supervisor/conf.d/django-project.conf",
}

--- Installs git.
function Django:install_git()
  self.host:sudo "apt-get install -y git"
end

--- Clones the repository.
function Django:git_clone()
  local there = self.host:expand_path(self.directory)
  self.host:run("git clone '" .. esc1(self.repository) .. "' '" .. esc1(there) .. "'")
end

--- Checks a commit out.
---@param commit string
function Django:git_checkout(commit)
  self.host:cd(self.directory, { expand = true }, function()
    self.host:run("git checkout '" .. esc1(commit) .. "'")
  end)
end

--- Uploads the settings of this server.
function Django:upload_settings()
  self.host:open(self.directory .. "/local_settings.py", "w", function(file)
    file:write(settings)
  end)
end

--- Installs what requirements.txt of the repository lists.
function Django:install_requirements()
  self.host:prefix(self.activate, function()
    self.host:cd(self.directory, { expand = true }, function()
      self.host:run "pip install -r requirements.txt"
    end)
  end)
end

--- Installs a package into the virtualenv.
---@param name string
function Django:install_package(name)
  self.host:prefix(self.activate, function()
    self.host:run("pip install '" .. esc1(name) .. "'")
  end)
end

--- Runs a management command.
---@param command string
function Django:manage(command)
  self.host:prefix(self.activate, function()
    self.host:cd(self.directory, { expand = true }, function()
      self.host:run("python manage.py " .. command)
    end)
  end)
end

--- Opens the shell of Django.
function Django:django_shell()
  self:manage "shell"
end

--- Installs the web server.
function Django:install_gunicorn()
  self:install_package "gunicorn"
end

--- Tells supervisord to keep the web server running.
function Django:upload_supervisor_config()
  self.host:open(self.supervisor_file, "w", { use_sudo = true }, function(file)
    file:write(supervisor_config)
  end)
end

return Django
