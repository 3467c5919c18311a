//! Loading: what is refused, and in which words.

use std::time::Duration;

use super::super::Brought;
use super::super::load::load_within;
use super::{Files, LuaFile, load};

/// rows: A-04 A-06 A-07 A-09 A-18 A-20 A-32 B-09 B-10 B-11 B-12 C-23 D-11 J-02
#[test]
fn broken_files_say_where_and_what_instead() {
    let cases = [
        ("return Nod {}", "deploy.lua:1: unknown name 'Nod'; did you mean 'Node'?"),
        (
            "\nreturn deployer.Node {}",
            "deploy.lua:2: unknown name 'deployer': begin the file with `local deployer = require \"deployer\"`",
        ),
        ("\n\nreturn d.Nodes {}", "deploy.lua:3: deployer has no 'Nodes'; did you mean 'Node'?"),
        (
            "return Node { Hosts = 4 }",
            "deploy.lua:1: Hosts must be a table of roles, `{ web = { web1 } }`, or map_roles(...); got a number",
        ),
        (
            "return Node {\n Hosts = { web = 4 } }",
            "deploy.lua:1: role 'web' must be a host or a list of hosts, got a number",
        ),
        (
            "return Node { Hosts = { web = SSHHost } }",
            "deploy.lua:1: role 'web': a kind of host is no host yet, write `SSHHost { slug = ... }`",
        ),
        (
            "return Node { Hosts = { web = { h1, h1 { address = 'x' } } } }",
            "deploy.lua:1: role 'web' has two hosts with the slug 'h1': give one of them another slug",
        ),
        ("return Node { h1 }", "deploy.lua:1: members have names, as in `name = value`; entry 1 is a host"),
        ("return Node(Node)", "deploy.lua:1: a class extends exactly one class: write `local A = B { ... }`"),
        (
            "return Node(1)",
            "deploy.lua:1: calling a class makes a subclass: it takes one table of members, got a number",
        ),
        ("return Node {\n  host = 1 }", "deploy.lua:2: 'host' is reserved: it is the host of a cell"),
        (
            "return Node {\n  A = ParallelNode {} }",
            "deploy.lua:2: 'A' is a plain parallel node inside a normal node: use .Array or .JustOne",
        ),
        (
            "return Node {}.Array",
            "deploy.lua:1: <class at deploy.lua:1> is not a parallel class: only those have .Array",
        ),
        (
            "return ParallelNode {}.Array.JustOne",
            "deploy.lua:1: <class at deploy.lua:1> is an array already: .JustOne applies once, to the plain parallel class",
        ),
        (
            "local A = Node { B = Node {} }\nreturn A { C__x = 1 }",
            "deploy.lua:2: 'C__x' cannot be set: the class has no child 'C' (children: B)",
        ),
        (
            "local A = Node { B = Node {}, v = 1 }\nreturn A { v__x = 1 }",
            "deploy.lua:2: 'v__x' cannot be set: 'v' is not a child node",
        ),
        (
            "local A = Node { B = Node {} }\nreturn A { B__x = 1, B = Node {} }",
            "deploy.lua:2: 'B' is defined and overridden by 'B__x' in the same class",
        ),
        (
            "local A = Node {}\n\nA.Hosts = {}",
            "deploy.lua:3: hosts belong into the class's table: `Hosts = ...` between its braces",
        ),
        (
            "local A = Node { start = 1 }\nreturn A.stat",
            "deploy.lua:2: <class at deploy.lua:1> has no 'stat'; did you mean 'start'?",
        ),
        (
            "return map_roles {}",
            "deploy.lua:1: map_roles needs roles of the parent, as in `map_roles { host = \"web\" }`",
        ),
        ("return map_roles { host = 'a' } (3)", "deploy.lua:1: map_roles applies to a node class, got a number"),
        (
            "return map_roles('a', { host = 'b' })",
            "deploy.lua:1: the role 'host' is mapped twice: by position and by name",
        ),
        ("return SSHHost { adress = 'x' }", "deploy.lua:1: a host has no setting 'adress'; did you mean 'address'?"),
        (
            "return SSHHost { xyzzy = 'x' }",
            "deploy.lua:1: a host has no setting 'xyzzy'; there is: slug, address, port, username, password, key_filename, key, rsa_key, key_password, rsa_key_password, timeout, keepalive, idle_timeout, config_filename, host_keys, reject_unknown_hosts, known_hosts, proxy_jump, proxy_command, helper_shell",
        ),
        (
            "return SSHHost { address = 'x' }",
            "deploy.lua:1: SSHHost needs a slug: a short name that is unique within a role",
        ),
        (
            "return SSHHost { slug = 'x', port = 70000 }",
            "deploy.lua:1: port must be a whole number from 1 to 65535, got 70000",
        ),
        (
            "return SSHHost { slug = 'x', port = '22' }",
            "deploy.lua:1: port must be a whole number from 1 to 65535, got text",
        ),
        (
            "return SSHHost { slug = 'x', timeout = -1 }",
            "deploy.lua:1: timeout must be a number of seconds above 0, got -1",
        ),
        (
            "return SSHHost { slug = 'x', host_keys = 'maybe' }",
            "deploy.lua:1: host_keys must be \"strict\", \"accept-new\" or \"ask\", got \"maybe\"",
        ),
        ("return SSHHost 'x'", "deploy.lua:1: SSHHost is called with a table of settings, got text"),
        (
            "return h1:run('ls')",
            "deploy.lua:1: h1 is a host as it was written down: commands run on the hosts of a node, as in `self.hosts:run(...)`",
        ),
        ("return d.Group { name = 'g', color = 'gren' }", "deploy.lua:1: no color 'gren'; did you mean 'green'?"),
        ("return d.groups.production(1)", "deploy.lua:1: a group is given to a node class, got a number"),
        ("return d.alias('x', 1)", "deploy.lua:1: alias goes around a function, got a number"),
        ("local x = = 1", "deploy.lua:1: unexpected symbol near '='"),
        ("\nfoo(", "deploy.lua:2: unexpected symbol near <eof>"),
        ("\nerror('no way')", "deploy.lua:2: no way"),
        ("\nerror({ message = 'no way', code = 3 })", "deploy.lua:2: no way"),
        ("\n\nassert(false, 'no way')", "deploy.lua:3: no way"),
        ("local t = nil\nreturn t.x", "deploy.lua:2: attempt to index a nil value (local 't')"),
        ("return Node { f = function() return io end }", "ok"),
        ("return (function() return debug end)()", "deploy.lua:1: unknown name 'debug'"),
        (
            "return io.read()",
            "deploy.lua:1: unknown name 'io': a deployment file reads its neighbours with require and deployer.read_file, everything else is done by commands on hosts",
        ),
        (
            "os.exit(1)",
            "deploy.lua:1: os has no 'exit' here: what is done on a machine is done by commands on hosts, as in `self.hosts:run(...)`",
        ),
        ("coroutine.wrap(print)()", "deploy.lua:1: unknown name 'coroutine'"),
        ("assert(load('\\27Lua'))", "deploy.lua:1: attempt to load a binary chunk (mode is 't')"),
        (
            "return require 'nowhere'",
            "deploy.lua:1: cannot require 'nowhere': cannot read nowhere.lua: there is no such file",
        ),
        (
            "return require '../etc'",
            "deploy.lua:1: cannot require '../etc': a name has letters, digits, '_', '-', and dots between folders",
        ),
        ("return require 'deploy'", "deploy.lua:1: 'deploy' requires itself, directly or by way of others"),
        ("return d.read_file('nowhere')", "deploy.lua:1: cannot read nowhere: there is no such file"),
        ("return d.read_file('/dev/zero')", "deploy.lua:1: /dev/zero is not a regular file"),
        ("return d.esc1(nil)", "deploy.lua:1: esc1 needs text, got nothing"),
        ("local q = Q\nfor _ = 1, 300 do q = q.a end", "deploy.lua:2: a query nests more than 200 levels deep"),
    ];
    let mut wrong = Vec::new();
    for (snippet, expected) in cases {
        let said = load(snippet).map_or_else(|error| error, |_| "ok".to_string());
        if said != expected {
            wrong.push(format!("{snippet}\n  expected: {expected}\n  got:      {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_missing_file_is_looked_for_somewhere() {
    let error = LuaFile::new("no/such.lua").load().unwrap_err().to_string();
    let here = std::env::current_dir().unwrap();
    assert_eq!(error, format!("cannot read no/such.lua: there is no such file (looked in {})", here.display()));
    let folder = Files::new(&[]);
    let error = LuaFile::new(folder.path("")).load().unwrap_err();
    assert!(error.to_string().ends_with("/ is a directory; name the file in it"), "{error}");
}

#[test]
fn a_file_that_returns_no_node_is_told_what_to_return() {
    for (snippet, got) in [
        ("", "nothing"),
        ("return 3", "a number"),
        ("return {}", "a table"),
        ("return h1", "a host"),
        ("return Node", "a base class without a table"),
    ] {
        let error = load(snippet).unwrap_err();
        let (first, example) = error.split_once('\n').unwrap();
        assert_eq!(
            first,
            format!(
                "deploy.lua:1: the file must return a node class, it returned {got}; the shortest file that works:"
            )
        );
        let files = Files::new(&[("deploy.lua", example)]);
        assert!(LuaFile::new(files.path("deploy.lua")).load().is_ok(), "the example in the message works");
    }
}

/// rows: A-27 A-39
#[test]
fn actions_of_classes_need_a_node() {
    let class = "local A = Node { start = function(self) end }\n";
    for (call, got) in [
        ("A.start()", "got nothing"),
        ("A.start(A)", "got a node class: actions run on nodes"),
        ("A.start('web')", "got text"),
    ] {
        let error = load(&format!("{class}{call}\nreturn A")).unwrap_err();
        assert_eq!(
            error,
            format!("deploy.lua:2: start of a class needs a node first, as in `Base.start(self)`; {got}")
        );
    }
    let error = load(&format!("{class}return A.stop")).unwrap_err();
    assert!(error.starts_with("deploy.lua:2: <class at deploy.lua:1> has no 'stop'"), "{error}");
}

/// rows: G-13
#[test]
fn comparing_queries_compares_identity_at_once() {
    let ok = "assert((Q.a == Q.a) == false) local q = Q.a assert(q == q and q ~= Q.b and q ~= 3) return Node {}";
    assert!(load(ok).is_ok());
    let error = load("return Node { small = Q.a < 3 }").unwrap_err();
    assert!(error.starts_with("deploy.lua:1: queries are compared with Q.lt(a, b) and Q.eq(a, b)"), "{error}");
}

#[test]
fn loops_and_hunger_end() {
    let cases = [
        ("while true do end", "took too long: is there a loop that never ends?"),
        ("while true do pcall(function() while true do end end) end", "took too long"),
        ("while true do xpcall(error, function() while true do end end) end", "took too long"),
        ("xpcall(function() while true do end end, function() while true do end end)", "took too long"),
        ("setmetatable({}, { __gc = function() while true do end end })", "__gc is not available"),
        (
            "local x <close> = setmetatable({}, { __close = function() while true do end end }) error 'x'",
            "took too long",
        ),
        ("table.sort({ 1, 2, 3 }, function() while true do end end)", "took too long"),
        ("local t = {} while true do t[#t + 1] = ('x'):rep(1000000) .. #t end", "the script uses too much memory"),
        ("local function f() return f() + 1 end f()", "stack overflow"),
        ("local s = 'x' while true do s = s .. s end", "memory"),
    ];
    for (text, expected) in cases {
        let files = Files::new(&[("deploy.lua", text)]);
        // Loops wait for the limit, hunger must come first.
        let limit =
            if expected.starts_with("took too long") { Duration::from_millis(200) } else { Duration::from_secs(60) };
        let error = load_within(&files.path("deploy.lua"), &Brought::default(), limit).unwrap_err();
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
}

#[test]
fn neighbours_are_required_and_name_themselves_in_errors() {
    let files = Files::new(&[
        (
            "deploy.lua",
            "local hosts = require 'lib.hosts'\nassert(hosts == require 'lib.hosts')\nreturn require('tree')(hosts)",
        ),
        (
            "lib/hosts.lua",
            "counter = (rawget(_G, 'counter') or 0) + 1\nreturn { require('deployer').LocalHost, n = counter }",
        ),
        (
            "tree.lua",
            "local d = require 'deployer'\nreturn function(hosts)\n return d.Node { n = hosts.n, Hosts = { a = hosts[1] } }\nend",
        ),
        ("broken.lua", "return require 'worse'"),
        ("worse.lua", "\n\nlocal x = nil + 1"),
        ("data.lua", "local d = require 'deployer'\nreturn d.Node { text = d.read_file 'motd' }"),
        ("motd", "welcome\n"),
    ]);
    let root = LuaFile::new(files.path("deploy.lua")).load().unwrap();
    assert_eq!(root.name(), "deploy");
    assert_eq!(root.roles().all()[0].slug(), "localhost");
    let error = files.plain(&LuaFile::new(files.path("broken.lua")).load().unwrap_err());
    assert_eq!(error, "worse.lua:3: attempt to perform arithmetic on a nil value");
    let data = LuaFile::new(files.path("data.lua")).load().unwrap();
    assert!(
        matches!(data.class().member("text"), Some(crate::node::Member::Value(text)) if text.to_string() == "welcome\n")
    );
}

#[test]
fn long_paths_are_shown_in_full() {
    let name = format!("{}/deploy.lua", "x".repeat(100));
    let files = Files::new(&[(&name, "\n\nerror 'no way'")]);
    let error = LuaFile::new(files.path(&name)).load().unwrap_err();
    assert_eq!(files.plain(&error), format!("{name}:3: no way"));
}
