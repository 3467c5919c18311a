//! A small tree for the tests of the shell.

#![allow(clippy::unwrap_used)]

use crate::env::ActionError;
use crate::node::{
    Action, Class, Group, HostDef, HostKind, HostSettings, HostSource, Member, Node, RoleMapping, Roles,
};
use crate::value::Value;

fn host(slug: &str) -> HostDef {
    HostDef::new(HostKind::Local, HostSettings { slug: slug.to_string(), ..HostSettings::default() })
}

fn joined(args: &[Value]) -> String {
    args.iter().map(|arg| format!("<{arg}>")).collect()
}

/// Gives back what it was called with, and where.
fn echo() -> Action {
    Action::from_fn(|env, args| async move { Ok(Value::from(format!("{}: {}", env.node(), joined(&args)))) })
}

fn database() -> Class {
    Class::node()
        .extend("Database")
        .member("start", Member::Action(echo()), None)
        .member("status", Member::Action(echo().suppress_result()), None)
        .member("_secret", Member::Action(echo()), None)
        .member("__call", Member::Action(echo()), None)
        .build()
        .unwrap()
}

fn web() -> Class {
    let web = Class::parallel_node()
        .extend("Web")
        .member("checkout", Member::Action(echo()), None)
        .member(
            "answer",
            Member::Action(Action::from_fn(|env, _| async move {
                match env.node().cell_label().as_str() {
                    "w2" => Err(ActionError::usage("out of order")),
                    label => Ok(Value::from(label)),
                }
            })),
            None,
        )
        .build()
        .unwrap();
    let mapping = RoleMapping::new().role("host", ["web"]);
    web.array().unwrap().with_hosts(HostSource::Mapped(mapping)).unwrap()
}

fn production() -> Class {
    Class::node()
        .extend("Production")
        .doc("Where customers are.")
        .group(Group::built_in("production").unwrap())
        .hosts(HostSource::Own(Roles::new().role("web", [host("w1"), host("w2")])))
        .member("branch", Member::Value(Value::from("main")), None)
        .member("deploy", Member::Action(echo()), None)
        .member("web", Member::Child(web()), None)
        .member("database", Member::Child(database()), None)
        .build()
        .unwrap()
}

/// `R` with `production` (`web` with two cells, `database` with a default action) and `staging`.
pub(super) fn tree() -> Node {
    let open = Action::from_fn(|env, _| async move { Ok(Value::Node(env.child("production")?)) });
    let fail = Action::from_fn(|_, _| async move { Err(ActionError::usage("it is broken")) });
    let stuck = Action::from_fn(|_, _| async move { std::future::pending().await });
    let numbers =
        Action::from_fn(|_, _| async move { Ok(Value::List(vec![Value::from(1), Value::Nil, Value::from("two")])) });
    let root = Class::node()
        .extend("R")
        .member("production", Member::Child(production()), None)
        .member("staging", Member::Child(Class::node().extend("Staging").build().unwrap()), None)
        .member("greet", Member::Action(echo().doc("Greets somebody.\nTwice.")), None)
        .member("fail", Member::Action(fail), None)
        .member("stuck", Member::Action(stuck), None)
        .member("open", Member::Action(open), None)
        .member("numbers", Member::Action(numbers), None)
        .build()
        .unwrap();
    Node::root(root).unwrap()
}
