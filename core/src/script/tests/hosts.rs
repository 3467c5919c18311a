//! Commands on hosts: options, results, blocks.

use std::sync::Arc;

use super::fake::Fake;
use super::{Files, LuaFile, WORDS, quiet, said};
use crate::env::Env;

/// A tree whose hosts are fake, and the lines that they get.
pub(super) fn faked(snippet: &str) -> (Env, Fake) {
    let fake = Fake::default();
    let files = Files::new(&[("deploy.lua", &format!("{WORDS}local Fake = d.Fake; {snippet}"))]);
    let root = LuaFile::new(files.path("deploy.lua")).host_kind("Fake", Arc::new(fake.clone())).load();
    (quiet(root.unwrap_or_else(|error| panic!("{error}"))), fake)
}

/// The commands that reached the hosts, without what is always there.
fn lines(fake: &Fake) -> String {
    fake.lines.lock().unwrap().join("\n").replace("export TERM=xterm && ", "").replace("export TERM=dumb && ", "")
}

/// Blocks as functions, as to-be-closed variables, left by errors, one in the other; the lines are what the hosts got.
///
/// rows: F-05 F-06 F-07 F-08 F-09 F-72 F-77
#[tokio::test]
async fn blocks_hold_for_what_is_inside() {
    let cases = [
        (
            "h:cd('/a', function() h:run('x') h:cd('b', function() h:run('y') end) end) h:run('z')",
            "a: cd /a && (x)\na: cd /a/b && (y)\na: (z)",
        ),
        ("do local _ <close> = h:cd('/a') h:run('x') end h:run('z')", "a: cd /a && (x)\na: (z)"),
        ("pcall(function() h:cd('/a', function() error('x') end) end) h:run('z')", "a: (z)"),
        ("pcall(function() local _ <close> = h:cd('/a') error('x') end) h:run('z')", "a: (z)"),
        ("h:env('N', \"it's\", function() h:run('x') end)", "a: export N='it'\\''s' && (x)"),
        ("h:env('N', '$HOME', { escape = false }, function() h:run('x') end)", "a: export N=$HOME && (x)"),
        ("h:env('N', nil, function() h:run('x') end)", "a: export N='' && (x)"),
        ("h:prefix('p1', function() h:prefix('p2', function() h:run('x') end) end)", "a: (p1 && p2 && x)"),
        ("local a, b = h:cd('/a', function() return 'x', 'y' end) h:run(a .. b)", "a: (xy)"),
        ("self.hosts:cd('/a', function() self.hosts:run('x') end)", "a: cd /a && (x)\nb: cd /a && (x)"),
        ("self.hosts:filter('two'):cd('/a', function() self.hosts:run('x') end)", "a: (x)\nb: cd /a && (x)"),
        ("for _, host in ipairs(self.hosts) do host:run(host.slug .. host.address) end", "a: (aa)\nb: (bb)"),
        ("for number, host in pairs(self.hosts) do host:run(tostring(number)) end", "a: (1)\nb: (2)"),
        ("for host in self.hosts:each() do host:run('x') end", "a: (x)\nb: (x)"),
        ("self.hosts[2]:run(#self.hosts .. table.concat(self.hosts.roles, ','))", "b: (2one,two)"),
    ];
    let mut wrong = Vec::new();
    for (body, expected) in cases {
        let (env, fake) = faked(&format!(
            "local A = Node {{ Hosts = {{ one = Fake {{ slug = 'a' }}, two = Fake {{ slug = 'b' }} }} }}
            function A:go() local h = self.hosts[1] {body} end return A"
        ));
        if let Err(error) = env.call("go", Vec::new()).await {
            wrong.push(format!("{body}\n  {error}"));
        } else if lines(&fake) != expected {
            wrong.push(format!("{body}\n  expected: {expected}\n  got:      {}", lines(&fake)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// rows: F-14 F-16 F-23 F-28 F-29 F-58 F-75
#[tokio::test]
async fn results_are_text_with_fields() {
    let cases = [
        (
            "local r = h:run('echo one; echo two >&2', quiet) return r.stdout, r.stderr, r.status, r.text, r.ok",
            "one\n, two\n, 0, one, true",
        ),
        (
            "local r = h:run('exit 4', { interactive = false, ignore_exit_status = true }) return r.status, r.ok, #r",
            "4, false, 0",
        ),
        (
            "local r = h:run('kill -9 $$', { interactive = false, ignore_exit_status = true }) return r.status, r.signal",
            "nil, KILL",
        ),
        (
            "local r = h:run('printf a-b', quiet) return r:match('(.)%-(.)'), r:upper(), r .. '!', '<' .. r, #r, ('%s'):format(r), tostring(r) == 'a-b'",
            "a, A-B, a-b!, <a-b, 3, a-b, true",
        ),
        (
            "local r = h:run('printf x', quiet) return h:run('printf y', quiet) > r, r == h:run('printf x', quiet), r < 'y'",
            "true, true, true",
        ),
        ("return h:run('printf x', quiet)", "x"),
        (
            "local r = h:run('printf x', quiet) return self:back(r) == r, d.esc1(r), h:run(r .. 'yz -c true || echo no', quiet)",
            "true, x, no\n",
        ),
        ("return #self.hosts:run('printf x', quiet), self.hosts:run('printf x', quiet)[1]", "1, x"),
        ("return h:run('cd /tmp && pwd', { interactive = false, timeout = 20 })", "/tmp\n"),
        ("return h:run('sleep 60', { interactive = false, timeout = 0.2 })", "timed out"),
        ("return h:run(3)", "the command of run must be text, got a number"),
        ("return h:run('x', { timeout = 'y' })", "timeout must be a number of seconds, got text"),
        ("return h:run('x', { interactive = 1 })", "interactive must be true or false, got a number"),
        ("return h:run('x', 'y')", "the options of run are a table, got text"),
        ("return h:cd('x', { expnd = true })", "cd has no option 'expnd'; did you mean 'expand'?"),
        ("return h:cd('x', 'y')", "the options of cd are a table, got text"),
        ("return h:cd('x', {}, 'y')", "what cd runs must be a function, got text"),
        ("return h:env('N', 3)", "the value of N must be text, got a number"),
        (
            "return h:put('x')",
            "a host has no 'put'; there is: run, sudo, cd, env, prefix, exists, getcwd, has_command, ifconfig, open, put_file, get_file, stat, \
             lstat, listdir, listdir_stat, expand_path, get_home_directory, get_ip_address, hostname, is_64_bit, start_interactive_shell, \
             slug, address, definition",
        ),
        ("return self.hosts:filter(3)", "a role must be text, got a number"),
        ("return self.hosts == self.hosts", "hosts of nodes cannot be compared: compare their slugs"),
    ];
    let mut wrong = Vec::new();
    for (body, expected) in cases {
        let snippet = format!(
            "local quiet = {{ interactive = false }}
            local A = Node {{ Hosts = {{ a = LocalHost }}, back = function(self, x) return x end }}
            function A:go() local h = self.hosts[1] {body} end return A"
        );
        let said = said(&snippet, "go").await;
        if said != expected && !(expected == "timed out" && said.contains("localhost: ")) {
            wrong.push(format!("{body}\n  expected: {expected}\n  got:      {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// rows: E-06
#[tokio::test]
async fn hosts_of_a_node_serve_as_roles_of_another() {
    let (env, fake) = faked(
        "local B = Node {} function B:go() self.hosts:run('x') end
        local A = Node { Hosts = { one = Fake { slug = 'a' }, two = { Fake { slug = 'b' }, Fake { slug = 'c' } } } }
        function A:go()
          self:initialize_node(Node { B = B, Hosts = { all = self.hosts:filter('two') } }).B:go()
          self:initialize_node(B { Hosts = { one = self.hosts[1] } }):go()
          self:initialize_node(B { Hosts = self.hosts }):go()
        end
        return A",
    );
    env.call("go", Vec::new()).await.unwrap();
    let slugs = lines(&fake).replace(": (x)", "").replace('\n', " ");
    assert_eq!(slugs, "b c a a b c");
}

/// rows: F-73
#[tokio::test]
async fn hosts_are_numbered_from_one() {
    for (body, expected) in [
        ("self.hosts[1]:run('x') self.hosts[2]:run('y')", Ok("a: (x)\nb: (y)")),
        ("assert(self.hosts[3] == nil and self.hosts:filter('none')[1] == nil)", Ok("")),
        ("self.hosts[0]:run('x')", Err("hosts are numbered from 1, there is no self.hosts[0]")),
        ("self.hosts[-1]:run('x')", Err("there is no self.hosts[-1]")),
    ] {
        let (env, fake) = faked(&format!(
            "local A = Node {{ Hosts = {{ one = Fake {{ slug = 'a' }}, two = Fake {{ slug = 'b' }} }} }}
            function A:go() {body} end return A"
        ));
        let called = env.call("go", Vec::new()).await;
        match (called, expected) {
            (Ok(_), Ok(expected)) => assert_eq!(lines(&fake), expected, "{body}"),
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{body}: {error}"),
            (Ok(_), Err(expected)) => panic!("{body} must fail: {expected}"),
            (Err(error), Ok(_)) => panic!("{body}: {error}"),
        }
    }
}
