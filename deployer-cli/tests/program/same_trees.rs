//! The same trees in Lua and in Rust are the same, member by member.

use std::path::Path;

use deployer_core::define::IntoRoot;
use deployer_core::inspect::{Entry, Inspector, Scope};
use deployer_core::node::{Group, HostDef, Member, Node};
use deployer_core::prelude::*;
use deployer_core::script::LuaFile;

fn lua(text: &str) -> Node {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deploy.lua");
    std::fs::write(&path, text).unwrap();
    LuaFile::new(path).load().unwrap()
}

fn example(name: &str) -> Node {
    LuaFile::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples").join(name)).load().unwrap()
}

fn host(host: &HostDef) -> String {
    let settings = host.settings();
    let key = settings.key_filename.as_deref();
    format!("{}({:?} {} {:?} {:?} {key:?})", host.slug(), host.kind(), host.address(), settings.port, settings.username)
}

fn entry(entry: &Entry<Node>) -> String {
    let what = match entry.member() {
        Some(Member::Value(value)) => format!("= {value:?}"),
        Some(Member::Query(query)) => format!("= {query}"),
        Some(Member::Required(what_for)) => format!("required {what_for:?}"),
        Some(Member::Action(_)) => format!("({}) {:?}", entry.parameters().unwrap().join(", "), entry.flags()),
        Some(Member::Property(_)) => "computed".to_string(),
        Some(Member::Child(_)) | None => String::new(),
    };
    format!("{:?} {} {what} -- {}", entry.kind(), entry.name(), entry.doc().unwrap_or_default())
}

/// Everything that inspection shows, one line each.
fn described(root: &Node) -> Vec<String> {
    let mut lines = Vec::new();
    for node in Inspector::new(root).walk().iter() {
        let node = node.unwrap();
        let inspector = Inspector::new(&node);
        let (kind, group, doc) = (node.class().kind(), inspector.group(), node.class().doc());
        let group = group.map(|Group { name, color }| format!("{name} {color:?}"));
        lines.push(format!("{node}: {kind:?} {group:?} {doc:?}"));
        let hosts = |hosts: &[HostDef]| hosts.iter().map(host).collect::<Vec<_>>().join(", ");
        lines.extend(node.roles().0.iter().map(|(role, of_role)| format!("  role {role}: {}", hosts(of_role))));
        lines.extend(inspector.entries(Scope::Public).iter().map(|found| format!("  {}", entry(found))));
        lines.extend(node.cells().iter().map(|cell| format!("  cell {cell}")));
    }
    lines
}

fn same(lua: &Node, rust: impl IntoRoot, lines_least: usize) {
    let (lua, rust) = (described(lua), described(&rust.into_root().unwrap()));
    for (number, (lua, rust)) in lua.iter().zip(&rust).enumerate() {
        assert_eq!(lua, rust, "line {number}; Lua on the left");
    }
    assert_eq!(lua.len(), rust.len());
    assert!(lua.len() >= lines_least, "{lua:#?}");
}

// rows: A-01 A-02 A-11 E-25 U-01
#[test]
fn hello_world() {
    same(&example("hello.lua"), crate::hello::root(), 8);
}

// rows: A-05 A-21 A-36 B-01 C-20 D-01 D-02 F-61 G-01 J-03 J-04
#[test]
fn the_web_system() {
    same(&example("websystem.lua"), crate::websystem::root(), 38);
}

// rows: A-02 A-11 U-01
#[test]
fn the_complete_example_of_the_first_tutorial() {
    let text = "
        local deployer = require 'deployer'
        local MyRemoteHost = deployer.SSHHost { slug = 'my-host', address = '192.168.0.200', username = 'john', password = '...' }
        local SayHello = deployer.Node {}
        function SayHello:hello() self.hosts:run('echo hello world') end
        return deployer.Node 'RootNode' {
          local_hello = SayHello { Hosts = { host = deployer.LocalHost } },
          remote_hello = SayHello { Hosts = { host = MyRemoteHost } },
        }";
    let remote = SshHost::define("my-host").address("192.168.0.200").username("john").password("...").build();
    let say_hello = Node::define("SayHello")
        .action("hello", async |env: Env| env.hosts().run("echo hello world").await.map(drop))
        .build()
        .unwrap();
    let root = Node::define("RootNode")
        .child("local_hello", say_hello.extend("LocalHello").hosts(roles! { host: HostDef::localhost() }))
        .child("remote_hello", say_hello.extend("RemoteHello").hosts(roles! { host: remote }));
    same(&lua(text), root, 7);
}

// rows: B-01 B-02 B-03 B-05 B-06 B-07 C-20 C-21 D-03 D-06 E-19 E-20 E-22 E-24
#[test]
fn overrides_arrays_mappings_and_markers() {
    let text = "
        local d = require 'deployer'
        local Node, ParallelNode, SSHHost, map_roles, Q = d.Node, d.ParallelNode, d.SSHHost, d.map_roles, d.Q
        local a, b, c = SSHHost { slug = 'a' }, SSHHost { slug = 'b' }, SSHHost { slug = 'c' }
        local Leaf = ParallelNode {
          size = 1,
          label = Q.parent.parent.name + ('-' + (Q.size + 1)),
          text = Q('%s/%s') % { Q.size, Q.parent('Base').name },
          look = d.isolate_one_only(function(self) end),
          all = d.dont_isolate_yet(d.suppress_action_result(d.alias('every', function(self, one, two) return one, two end))),
          here = d.property(function(self) return 1 end),
        }
        local Base = Node 'Base' {
          name = 'base',
          Inner = Node { Leaf = Leaf.Array { Hosts = map_roles { host = { 'x', 'y' }, every = d.ALL_HOSTS } }, One = Leaf.JustOne { Hosts = map_roles 'y' } },
        }
        return Node 'Root' { child = Base {
          Hosts = { x = { a, b }, y = c },
          Inner__Leaf__size = 5,
          Inner__One__Hosts = { host = b },
          Inner__extra = 'new',
        } }";
    let [a, b, c] = ["a", "b", "c"].map(|slug| SshHost::define(slug).build());
    let all = action(async |_: Env, one: Option<Value>, two: Option<Value>| [one, two]).parameters(["one", "two"]);
    let leaf = ParallelNode::define("Leaf")
        .value("size", 1)
        .query("label", q!(parent.parent.name) + ("-" + (q!(size) + 1)))
        .query("text", Q::from("%s/%s") % [q!(size), q!(parent("Base").name)])
        .action("look", action(async |_: Env| ()).isolate_one_only())
        .action("all", all.alias("every").suppress_result().dont_isolate_yet())
        .property("here", async |_: Env| 1)
        .build()
        .unwrap();
    let inner = Node::define("Inner")
        .child("Leaf", leaf.extend("").array().map_roles(map_roles! { host: ["x", "y"], every: AllHosts }))
        .child("One", leaf.extend("").just_one().map_roles("y"));
    let base = Node::define("Base").value("name", "base").child("Inner", inner).build().unwrap();
    let child = base
        .extend("")
        .hosts(roles! { x: [a, b], y: c })
        .value("Inner__Leaf__size", 5)
        .hosts_of("Inner__One", roles! { host: b })
        .value("Inner__extra", "new");
    same(&lua(text), Node::define("Root").child("child", child), 25);
}
