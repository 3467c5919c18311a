//! One session's endless loop or hunger is nobody else's trouble.

use std::time::Duration;

use super::{Files, LuaFile, said};
use crate::env::{Env, RunContext};

const FILE: &str = "local d = require 'deployer'
    local A = d.Node 'A' {}
    function A:loop() while true do end end
    function A:eat() local t = {} while true do t[#t + 1] = ('x'):rep(1000000) .. #t end end
    function A:fine() return 'fine' end
    return A";

async fn gives(env: &Env, action: &str) -> String {
    match env.call(action, Vec::new()).await {
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_or_hunger_in_one_load_harms_no_other() {
    let files = Files::new(&[("deploy.lua", FILE)]);
    let load = || LuaFile::new(files.path("deploy.lua")).load().unwrap();
    let (one, other) = (load(), load());
    let context = RunContext::quiet();
    let looping = Env::new(one.clone(), context.clone());
    let looping = tokio::spawn(async move { looping.call("loop", Vec::new()).await });
    let other = Env::new(other, RunContext::quiet());
    for _ in 0..10 {
        assert_eq!(gives(&other, "fine").await, "fine");
    }
    // The same file, the same session even: actions take turns.
    let same = Env::new(one.clone(), RunContext::quiet());
    assert_eq!(gives(&same, "fine").await, "fine");
    assert!(!looping.is_finished());
    context.cancel.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(20), looping).await.expect("Ctrl-C ends it").unwrap();
    assert!(ended.unwrap_err().is_interrupted());

    let hunger = gives(&same, "eat").await;
    assert!(hunger.contains("the script uses too much memory: more than 160 MB, while A.eat ran"), "{hunger}");
    assert!(hunger.ends_with("let commands print less, or write to files"), "{hunger}");
    assert_eq!(gives(&same, "fine").await, "fine", "what was eaten is free again");
    assert_eq!(gives(&other, "fine").await, "fine");
}

/// rows: F-76 E-12
#[tokio::test]
async fn an_error_of_several_hosts_tells_of_each() {
    let go = |body: &str| {
        format!(
            "local b = LocalHost {{ slug = 'b' }}
            local A = Node {{ Hosts = {{ all = {{ LocalHost, b }} }} }}
            function A:go()
              local ok, e = pcall(function() self.hosts:run('echo $0; exit 3', {{ interactive = false }}) end)
              {body}
            end return A"
        )
    };
    let cases = [
        ("return ok, e.kind, #e.outcomes", "false, parallel, 2"),
        ("local o = e.outcomes[2] return o.label, o.outcome, o.error.status, o.error.host", "b, failed, 3, b"),
        ("return e.xyzzy", "nil"),
    ];
    for (body, expected) in cases {
        assert_eq!(said(&go(body), "go").await, expected, "{body}");
    }
    assert_eq!(super::call(&go("error(e)"), "go", Vec::new()).await.unwrap_err().exit_code(), 1);
}
