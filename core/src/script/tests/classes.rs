//! Classes, members, roles and groups as written in Lua.

use std::path::Path;

use super::{LuaFile, load};
use crate::node::{Action, Class, Color, HostSource, Kind, MapFrom, Member, Node};

fn example(name: &str) -> Node {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples").join(name);
    LuaFile::new(path).load().unwrap()
}

/// Names of what a class defines, in order; the script itself is no member that anybody wrote.
fn names(class: &Class) -> String {
    let names = class.members().into_iter().map(|(name, _)| name).filter(|name| !name.starts_with("__"));
    names.collect::<Vec<_>>().join(" ")
}

fn action(class: &Class, name: &str) -> Action {
    match class.member(name) {
        Some(Member::Action(action) | Member::Property(action)) => action,
        other => panic!("{name}: {other:?}"),
    }
}

/// rows: A-02 A-05 A-10 A-12 A-16 A-21 A-25 A-28 B-01 C-20 D-01 F-61 G-01 J-04
#[test]
fn the_example_of_the_design_becomes_a_tree() {
    let root = example("websystem.lua");
    assert_eq!(root.name(), "websystem");
    assert_eq!(names(root.class()), "production staging");
    let production = root.child("production").unwrap();
    assert_eq!(production.group().unwrap().color, Some(Color::Red));
    assert_eq!(root.child("staging").unwrap().group(), None);
    assert_eq!(production.class().doc().unwrap(), "roles: web, db");
    let slugs = |node: &Node, role: &str| {
        node.roles().get(role).iter().map(|host| host.slug().to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(slugs(&production, "web"), "web1 web2");
    assert_eq!(slugs(&production.child("Database").unwrap(), "host"), "db");
    let code = production.child("Code").unwrap();
    assert_eq!(code.class().kind(), Kind::Array);
    assert_eq!(slugs(&code, "host"), "web1 web2");
    assert_eq!(code.class().doc().unwrap(), "Git checkouts of the web servers.");
    let checkout = action(code.class(), "checkout");
    assert_eq!(checkout.position.unwrap().line, 17);
    assert_eq!(checkout.body.parameters().unwrap(), ["[commit]"]);
    assert_eq!(action(production.child("Database").unwrap().class(), "start").doc.unwrap(), "Start it.");
    let web2 = &production.roles().get("web")[1];
    assert_eq!((web2.address(), web2.settings().username.as_deref()), ("10.0.0.12", Some("deploy")));
    assert_eq!(web2.settings().position.as_ref().unwrap().line, 6);
    let staging = root.child("staging").unwrap().child("Code").unwrap();
    assert!(
        matches!(staging.class().member("directory"), Some(Member::Value(value)) if value.to_string() == "~/app-staging")
    );
    assert!(
        matches!(code.class().member("branch"), Some(Member::Query(query)) if query.to_string() == "Q.parent.branch")
    );
    assert!(matches!(
        production.child("Database").unwrap().class().base().unwrap().member("name"),
        Some(Member::Required(Some(text))) if text == "name of the unit"
    ));
}

#[test]
fn the_first_example_looks_good() {
    let root = example("hello.lua");
    assert_eq!(root.to_string(), "Hello");
    assert_eq!(names(root.class()), "greeting machine hello greet");
    assert_eq!(action(root.class(), "greet").body.parameters().unwrap(), ["name"]);
    assert_eq!(action(root.class(), "greet").doc.unwrap(), "Greet somebody by name.");
    assert_eq!(root.child("machine").unwrap().class().doc().unwrap(), "What there is to know about a machine.");
}

/// rows: A-14 A-36 B-14
#[test]
fn everything_comes_in_the_order_in_which_it_was_written() {
    let root = load(
        "local Z, Y = Node {}, Node {}
        return Node {
          zeta = 1, Zoo = Z, alpha = function() end,
          Hosts = { web10 = h2, db = { h2, h1 }, app = {} }, Beta = Node {}, Alpha = Y,
        }",
    )
    .unwrap();
    assert_eq!(names(root.class()), "zeta Zoo alpha Beta Alpha");
    assert_eq!(root.roles().0.keys().cloned().collect::<Vec<_>>(), ["web10", "db", "app"]);
    let put_together = load(
        "local t = {}
        t.zeta = function() end
        t.value = 3
        t.Child = Node {}
        t['a' .. 'b'] = 1
        local hosts = {}
        hosts.z = h1
        hosts.a = SSHHost { slug = 'h3' }
        t.Hosts = hosts
        return Node(t)",
    )
    .unwrap();
    assert_eq!(names(put_together.class()), "zeta Child ab value", "lines first, then names");
    assert_eq!(put_together.roles().0.keys().cloned().collect::<Vec<_>>(), ["z", "a"]);
}

/// rows: C-21 D-02 D-03 D-06 D-07 D-12
#[test]
fn role_mappings_take_names_lists_and_all_hosts() {
    let cases = [
        ("map_roles { host = 'web' }", "host=web"),
        ("map_roles { host = { 'web', 'db' }, extra = 'db' }", "host=web+db extra=db"),
        ("map_roles('web', 'db')", "host=web+db"),
        ("map_roles('web', { extra = 'db' })", "host=web extra=db"),
        ("map_roles { 'web', extra = 'db' }", "host=web extra=db"),
        ("map_roles { z = 'web', a = 'db' }", "z=web a=db"),
        ("map_roles { host = d.ALL_HOSTS }", "host=ALL"),
        ("map_roles(d.ALL_HOSTS)", "host=ALL"),
    ];
    for (mapping, expected) in cases {
        for snippet in [
            format!("return Node {{ C = Node {{ Hosts = {mapping} }} }}"),
            format!("return Node {{ C = {mapping} (Node {{ Hosts = {{ own = h1 }} }}) }}"),
        ] {
            let root = load(&snippet).unwrap();
            let Some(Member::Child(child)) = root.class().member("C") else { panic!("{snippet}") };
            let HostSource::Mapped(mapped) = child.hosts() else { panic!("{snippet}") };
            let shown = mapped.0.iter().map(|(role, from)| match from {
                MapFrom::All => format!("{role}=ALL"),
                MapFrom::Roles(names) => format!("{role}={}", names.join("+")),
            });
            assert_eq!(shown.collect::<Vec<_>>().join(" "), expected, "{snippet}");
        }
    }
}

/// rows: A-25 E-19 E-20 E-22 E-24 E-25
#[test]
fn markers_say_more_about_functions() {
    let root = load(
        "local A = Node {
          --- Both at once.
          both = d.alias('other.name', d.suppress_action_result(function(self, a) end)),
          once = d.isolate_one_only(function(self) end),
        }
        A.all = d.dont_isolate_yet(function(self) end)
        --- Later.
        A.later = d.alias 'latest' (d.alias('last', function(self) end))
        A.prop = d.property(function(self) return 1 end)
        A.Child = Node { x = 1 }
        assert(A.Child == A.Child and A.Child ~= Node {})
        A.copy = A.both
        return A",
    )
    .unwrap();
    let class = root.class();
    assert_eq!(names(class), "both other.name once all later last latest prop Child copy");
    assert!(action(class, "other.name").flags.suppress_result);
    assert!(action(class, "once").flags.isolate_one_only);
    assert!(action(class, "all").flags.dont_isolate_yet);
    assert_eq!(action(class, "both").doc.unwrap(), "Both at once.");
    assert_eq!(action(class, "latest").doc.unwrap(), "Later.");
    assert_eq!(action(class, "both").position.unwrap().line, 3);
    assert!(matches!(class.member("prop"), Some(Member::Property(_))));
    assert!(root.child("Child").is_ok());
}

/// rows: B-02 B-03 B-05 B-06 B-07 B-13
#[test]
fn double_underscores_reach_into_children() {
    let root = load(
        "local Inner = Node { C = Node { x = required() } }
        return Node { B = Inner } {
          B__C__x = 5, B__f = function(self) end, B__C__Hosts = { web = { h1, h2 } }, B__New = Node {}, __private = 1,
        }",
    )
    .unwrap();
    let inner = root.child("B").unwrap();
    assert!(matches!(inner.class().member("f"), Some(Member::Action(_))));
    assert!(inner.child("New").is_ok());
    let innermost = inner.child("C").unwrap();
    assert_eq!(innermost.roles().get("web").len(), 2);
    assert!(matches!(innermost.class().member("x"), Some(Member::Value(value)) if value.to_string() == "5"));
    assert!(matches!(root.class().member("__private"), Some(Member::Value(_))));
}

/// rows: J-01 J-02 J-03 J-04
#[test]
fn groups_make_coloured_copies() {
    let root = load(
        "local Own = d.Group { name = 'Own', color = 'cyan' }
        local A = Node 'A' {}
        return Node { a = A, b = d.groups.beta(A), c = d.set_group(Own)(A), d = Own(A) }",
    )
    .unwrap();
    let group = |name: &str| root.child(name).unwrap().group().map(|group| (group.name, group.color));
    assert_eq!(group("a"), None);
    assert_eq!(group("b"), Some(("Beta".to_string(), Some(Color::Green))));
    assert_eq!(group("c"), Some(("Own".to_string(), Some(Color::Cyan))));
    assert_eq!(group("d"), group("c"));
    assert_eq!(root.child("b").unwrap().class().name(), "A");
}

/// rows: F-58 F-61
#[test]
fn host_settings_are_read_and_inherited() {
    let root = load(
        "local base = SSHHost { slug = 'base', port = 2222, username = 'me', password = 'p', timeout = 2.5, keepalive = 5, idle_timeout = 90,
          key = 'K', rsa_key_password = 'q', config_filename = '/c', reject_unknown_hosts = true, known_hosts = { '/k' } }
        local derived = base { slug = 'derived', port = 22, host_keys = 'accept-new', known_hosts = '/l' }
        assert(base.slug == 'base' and base.port == 2222 and derived.username == 'me' and derived.timeout == 2.5)
        assert(not pcall(function() return base.password end))
        return Node { Hosts = { a = { base, derived, LocalHost, LocalHost { slug = 'also', username = 'x' } } } }",
    )
    .unwrap();
    let [base, derived, local, also] = root.roles().get("a") else { panic!() };
    assert_eq!(base.settings().host_keys, Some(crate::node::HostKeyPolicy::Strict));
    assert_eq!(derived.settings().host_keys, Some(crate::node::HostKeyPolicy::AcceptNew));
    assert_eq!(derived.settings().idle_timeout, Some(std::time::Duration::from_secs(90)));
    assert_eq!(derived.settings().key.as_ref().unwrap().reveal(), "K");
    assert_eq!(derived.settings().key_password.as_ref().unwrap().reveal(), "q");
    assert_eq!(derived.settings().known_hosts.as_deref(), Some(&["/l".to_string()][..]));
    assert_eq!((derived.settings().port, base.settings().port), (Some(22), Some(2222)));
    assert_eq!(
        (local.slug(), local.address(), also.slug(), also.address()),
        ("localhost", "localhost", "also", "localhost")
    );
}

/// rows: F-02
#[test]
fn the_wrapper_of_a_command_host_is_a_list_of_words() {
    let box_with = |settings: &str| {
        load(&format!(
            "local box = d.CommandHost {{ slug = 'box', wrapper = {{ 'docker', 'exec', '-i', 'box' }} }}
            return Node {{ Hosts = {{ a = {{ box {{ slug = 'other', {settings} }} }} }} }}"
        ))
    };
    let root = box_with("terminal_wrapper = { 'docker', 'exec', '-it', 'box' }, takes_line = true").unwrap();
    let words = |words: &[&str]| crate::Value::List(words.iter().copied().map(crate::Value::text).collect());
    let expected = [
        ("wrapper", words(&["docker", "exec", "-i", "box"])),
        ("terminal_wrapper", words(&["docker", "exec", "-it", "box"])),
        ("takes_line", crate::Value::Bool(true)),
    ];
    let mut extra = root.roles().get("a")[0].settings().extra.clone();
    extra.sort_by_key(|(name, _)| expected.iter().position(|(wanted, _)| wanted == name));
    assert_eq!(extra, expected.map(|(name, value)| (name.to_string(), value)));
    for (settings, error) in [
        (
            "wrapper = 'docker exec box'",
            "wrapper must be a list of words, as in { \"docker\", \"exec\", \"-i\", \"box\" }",
        ),
        ("wrapper = {}", "wrapper must be a list of words, as in { \"docker\", \"exec\", \"-i\", \"box\" }"),
        ("takes_line = 1", "takes_line must be true or false"),
    ] {
        let message = box_with(settings).unwrap_err().to_string();
        assert!(message.contains(error), "{settings}: {message}");
    }
}

/// rows: F-61
#[test]
fn the_way_to_a_host_is_read_and_inherited() {
    use crate::node::{JumpHost, ProxySetting};
    let root = load(
        "local bastion = SSHHost { slug = 'bastion', proxy_jump = 'none' }
        local named = SSHHost { slug = 'named', proxy_jump = 'anna@outer:2222, inner' }
        local hosts = named { slug = 'hosts', proxy_jump = { bastion, 'inner' } }
        local one = SSHHost { slug = 'one', proxy_jump = bastion }
        local program = one { slug = 'program', proxy_command = 'nc %h %p' }
        return Node { Hosts = { a = { bastion, named, hosts, one, program } } }",
    )
    .unwrap();
    let [bastion, named, hosts, one, program] = root.roles().get("a") else { panic!() };
    let proxy = |host: &crate::node::HostDef| host.settings().proxy.clone().unwrap();
    let (outer, inner) = (JumpHost::Named("anna@outer:2222".into()), JumpHost::Named("inner".into()));
    assert_eq!(proxy(bastion), ProxySetting::Direct);
    assert_eq!(proxy(named), ProxySetting::Jump(vec![outer, inner.clone()]));
    assert_eq!(proxy(hosts), ProxySetting::Jump(vec![JumpHost::Host(bastion.clone()), inner]));
    assert_eq!(proxy(one), ProxySetting::Jump(vec![JumpHost::Host(bastion.clone())]));
    assert_eq!(proxy(program), ProxySetting::Command("nc %h %p".into()));
    for (settings, expected) in [
        ("proxy_jump = 'a b'", "\"a b\" is not a hop, write user@host:port"),
        ("proxy_jump = {}", "proxy_jump is an empty list"),
        ("proxy_jump = LocalHost", "localhost is not reached over SSH"),
        ("proxy_jump = 7", "proxy_jump wants hosts or texts"),
        ("proxy_jump = 'a', proxy_command = 'b'", "not by both"),
    ] {
        let error = load(&format!("return SSHHost {{ slug = 'web1', {settings} }}")).unwrap_err();
        assert!(error.to_string().contains(expected), "{settings}: {error}");
    }
}
