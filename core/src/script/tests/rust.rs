//! Classes of one language extended in the other.

use super::{Files, LuaFile, quiet};
use crate::env::{ActionError, Env};
use crate::node::{Action, Class, Member, Node};
use crate::value::Value;

/// A class of a program: `name` is required, `greet` takes whom, `child.where` says where.
fn greeter() -> Class {
    let greet = Action::from_fn(|env: Env, args: Vec<Value>| async move {
        let whom = args.first().ok_or_else(|| ActionError::usage("whom?"))?;
        Ok(format!("{} greets {whom}", env.get("name").await?).into())
    });
    let place = Action::from_fn(|env, _| async move { Ok(env.node().to_string().into()) });
    let child = Class::node().extend("Child").member("where", Member::Action(place), None).build().unwrap();
    Class::node()
        .extend("Greeter")
        .doc("Greets.")
        .member("name", Member::Required(None), None)
        .member("greet", Member::Action(greet), None)
        .member("child", Member::Child(child), None)
        .build()
        .unwrap()
}

fn load(greeter: &Class, text: &str) -> Result<Node, String> {
    let files = Files::new(&[("deploy.lua", text)]);
    let file = LuaFile::new(files.path("deploy.lua")).contrib("Greeter", greeter);
    file.load().map_err(|error| files.plain(&error))
}

const POLITE: &str = "local d = require 'deployer'
    local Greeter = d.contrib.Greeter
    local Polite = Greeter { name = 'Ann', child__where = function(self) return 'elsewhere' end }
    function Polite:greet(whom) return Greeter.greet(self, 'dear ' .. whom) .. '!' end
    return d.Node { polite = Polite, plain = Greeter { name = 'Bob' } }";

// rows: A-16 A-17 A-24 B-01
#[tokio::test]
async fn a_deployment_file_extends_a_class_of_the_program() {
    let greeter = greeter();
    let root = load(&greeter, POLITE).unwrap();
    let env = quiet(root.clone());
    for (child, path, action, wanted) in [
        ("polite", None, "greet", "Ann greets dear you!"),
        ("plain", None, "greet", "Bob greets you"),
        ("polite", Some("child"), "where", "elsewhere"),
        ("plain", Some("child"), "where", "deploy.plain.child"),
    ] {
        let env = env.child(child).unwrap();
        let env = path.map_or(env.clone(), |path| env.child(path).unwrap());
        assert_eq!(env.call(action, vec!["you".into()]).await.unwrap().to_string(), wanted);
    }
    let polite = root.child("polite").unwrap();
    assert!(polite.class().is_a(&greeter));
    assert_eq!(polite.class().doc().as_deref(), Some("Greets."));
}

#[tokio::test]
async fn a_program_extends_a_class_of_a_deployment_file() {
    let root = load(&greeter(), POLITE).unwrap();
    let polite = root.child("polite").unwrap().class().clone();
    let base = polite.clone();
    let greet = Action::from_fn(move |env: Env, args| {
        let base = base.clone();
        async move { Ok(format!("{} {}", base.call(&env, "greet", args).await?, env.node()).into()) }
    });
    let loud = polite.extend("Loud").member("name", Member::Value("ANN".into()), None);
    // The tree of the file keeps its functions alive; a class of it does as long as the root's does.
    let root = root.class().extend("Root").member(
        "loud",
        Member::Child(loud.member("greet", Member::Action(greet), None).build().unwrap()),
        None,
    );
    let env = quiet(Node::root(root.build().unwrap()).unwrap());
    let value = env.child("loud").unwrap().call("greet", vec!["you".into()]).await.unwrap();
    assert_eq!(value.to_string(), "ANN greets dear you! Root.loud");
}

#[test]
fn files_cannot_change_what_they_share() {
    let greeter = greeter();
    for (text, wanted) in [
        ("local d = require 'deployer'\nfunction d.contrib.Greeter:hack() end", "Greeter itself cannot be changed"),
        ("local d = require 'deployer'\nd.contrib.Greeter.child.x = 1", "Child itself cannot be changed"),
        (
            "local d = require 'deployer'\nreturn d.contrib.Greter {}",
            "deployer.contrib has no 'Greter'; did you mean 'Greeter'?",
        ),
    ] {
        let error = load(&greeter, text).unwrap_err();
        assert!(error.contains(wanted) && error.starts_with("deploy.lua:2: "), "{error}");
    }
    assert!(greeter.member("hack").is_none());
    let text = "local d = require 'deployer'\nlocal A = d.contrib.Greeter {}\nfunction A:own() end\nreturn A";
    assert!(load(&greeter, text).is_ok());
}
