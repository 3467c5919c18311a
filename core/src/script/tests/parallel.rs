//! Many coroutines in one state: cells, cancellation, what stays behind.

use std::time::Duration;

use super::hosts::faked;
use super::{load, quiet};
use crate::env::{Cause, Env, Outcome, RunContext};
use crate::terminal::scripted::ScriptedTerminal;
use crate::value::Value;
use std::sync::Arc;

const CELLS: usize = 200;

fn many(members: &str) -> String {
    format!(
        "local hosts = {{}}
        for i = 1, {CELLS} do hosts[i] = Fake {{ slug = ('h%03d'):format(i) }} end
        local P = ParallelNode {{ {members} }}
        function P:work(x)
          local text = ''
          for i = 1, 3 do
            text = text .. self.host:run('run ' .. i, {{ interactive = false }}).text:match('^(%S+):') .. ' '
          end
          return text .. x
        end
        local A = Node {{ P = P.Array, Hosts = {{ all = hosts }} }}"
    )
}

/// 200 cells, 3 runs each, all suspended in one state at some time.
///
/// rows: C-05 C-07 C-08 C-11 C-27
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_cells_share_a_state() {
    let (env, fake) = faked(&format!(
        "{}
        function A:go()
          local r = self.P:work('done')
          local n = 0
          for cell, value in r:items() do
            n = n + 1
            local slug = cell.host.slug
            assert(slug == ('h%03d'):format(n), slug)
            assert(value == slug .. ' ' .. slug .. ' ' .. slug .. ' done', value)
            assert(rawequal(r[slug], value) and r[cell] == value and r[cell.host] == value and r[n] == value)
          end
          for value in r:values() do n = n - 1 end
          for cell in r:cells() do n = n + 1 end
          return n, #r, r.h001
        end
        return A",
        many("")
    ));
    let value = env.call("go", Vec::new()).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(value.to_string(), "200, 200, h001 h001 h001 done");
    assert_eq!(fake.lines.lock().unwrap().len(), 3 * CELLS);
}

/// rows: C-06 C-12 C-13 C-14 C-15 C-16 C-19 C-31 A-23
#[tokio::test]
async fn cells_are_found_and_failures_carry_all_outcomes() {
    let (env, _) = faked(
        "local a, b = Fake { slug = 'a' }, Fake { slug = 'b' }
        local P = ParallelNode { __call = function(self, x) return self.host.slug .. x end, s = property(function(self) return self.host.slug end) }
        function P:fail() if self.host.slug == 'b' then self.host:run('exit 3') end return self.host.slug end
        local A = Node { P = P.Array, Q = P.Array, One = P.JustOne { Hosts = { host = a } }, Hosts = { all = { a, b } } }
        function A:index()
          local p = self.P
          local slugs = {}
          for cell in p:cells() do slugs[#slugs + 1] = cell.host.slug end
          return p[1].s, p[2].s, p['b'].s, p.b.s, p[a].s, self.Q[p[2].host].s, p[{ 'b' }].s, #slugs, tostring(p[1]), self.One.s, self.One.host.slug
        end
        function A:zero() return self.P[0] end
        function A:none() return self.P[3] end
        function A:default() return self.P('x'), self.P[1]('y'), self.P:work() end
        function A:default2() return self.P('x'), self.P[1]('y') end
        function A:props() return self.P.s, self.P.host end
        function A:caught()
          local ok, e = pcall(self.P.fail)
          local o = e.outcomes
          return e.kind, tostring(e), #o, o[1].label, o[1].outcome, o[1].value, o[2].outcome, o[2].error.status, o[2].error.host
        end
        return A",
    );
    let said = async |action: &str| match env.call(action, Vec::new()).await {
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(said("index").await, "a, b, b, b, a, b, b, 2, Env(deploy.P[a]), a, a");
    assert_eq!(said("zero").await, "cells are counted from 1, got 0");
    assert!(said("none").await.contains("(cells: a, b)"));
    assert_eq!(said("default2").await, "{ a: ax, b: bx }, ay");
    assert!(said("default").await.contains("no attribute 'work'"));
    assert_eq!(said("props").await, "{ a: a, b: b }, { a: a, b: b }");
    let caught = said("caught").await;
    assert!(caught.starts_with("parallel, failed on 1 of 2: b"), "{caught}");
    assert!(caught.ends_with("2, a, ok, a, failed, 3, b"), "{caught}");
    let error = env.call("caught2", Vec::new()).await.unwrap_err();
    assert!(matches!(&*error.cause, Cause::Unknown(_)));
}

/// A script that loops for ever neither stops the others of its state nor outlives its own Ctrl-C.
///
/// rows: E-16
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_loop_is_interrupted_and_lets_others_get_on() {
    let bodies = [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local x <close> = d.read_file and nil while true do end",
        "while true do local ok = pcall(self.nothing) end",
    ];
    for body in bodies {
        let root = load(&format!(
            "local A = Node {{ Hosts = {{ a = LocalHost }} }}
            function A:busy() {body} end
            function A:nothing() error('x') end
            function A:quick() return 7 end
            return A"
        ))
        .unwrap();
        let context = RunContext::quiet();
        let cancel = context.cancel.clone();
        let busy = Env::new(root.clone(), context);
        let task = tokio::spawn(async move { busy.call("busy", Vec::new()).await });
        assert_eq!(quiet(root).call("quick", Vec::new()).await.unwrap().to_string(), "7");
        cancel.cancel();
        let error = task.await.unwrap().unwrap_err();
        assert!(error.is_interrupted(), "{body}: {error}");
    }
}

/// Dropping the call drops its pending run, undoes its blocks and leaves the state usable.
#[tokio::test]
async fn a_dropped_call_leaves_nothing_behind() {
    let (env, fake) = faked(
        "closed = 0
        local A = Node { Hosts = { one = Fake { slug = 'a' } } }
        function A:hang()
          local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
          self.hosts[1]:cd('/inside', function() self.hosts:run('hang', { interactive = false }) end)
        end
        function A:after() self.hosts:run('x', { interactive = false }) return closed end
        return A",
    );
    let hanging = tokio::time::timeout(Duration::from_millis(200), env.call("hang", Vec::new()));
    assert!(hanging.await.is_err());
    assert_eq!(env.call("after", Vec::new()).await.unwrap().to_string(), "1");
    let lines = fake.lines.lock().unwrap();
    assert!(lines[0].contains("cd /inside") && !lines[1].contains("/inside"), "{lines:?}");
}

/// Whatever a script keeps of a run, its state goes with the tree: sessions reload for months.
#[tokio::test]
async fn a_state_goes_with_its_tree() {
    #[allow(dead_code, reason = "owned, not read")]
    struct Witness(Arc<()>);
    impl std::fmt::Debug for Witness {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Witness")
        }
    }
    impl crate::value::Foreign for Witness {
        fn describe(&self) -> String {
            String::new()
        }
        fn as_any(&self) -> &dyn std::any::Any {
            self
        }
    }
    let (env, _) = faked(
        "kept = {}
        local P = ParallelNode {} function P:go() return self end
        local A = Node { P = P.Array, C = Node {}, Hosts = { one = { Fake { slug = 'a' }, Fake { slug = 'b' } } } }
        function A:keep(x)
          kept.self, kept.child, kept.action, kept.result, kept.hosts = self, self.C, self.keep, self.P:go(), self.hosts
          local _, kept_error = pcall(function() return self.P.none end)
          kept.error = kept_error
          kept.guard = self.hosts:cd('/x')
          return { self, kept }
        end
        function A:again() return kept.child.parent end
        return A",
    );
    let witness = Arc::new(());
    let class = env.node().class().clone();
    class
        .define("witness", crate::node::Member::Value(Value::Foreign(Arc::new(Witness(witness.clone())))), None)
        .unwrap();
    drop(class);
    let value = env.call("keep", Vec::new()).await.unwrap();
    assert!(value.to_string().starts_with("[Env(deploy)"), "{value}");
    let error = env.call("again", Vec::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "Env(deploy.C) belongs to a run that has ended");
    drop(env);
    assert_eq!(Arc::strong_count(&witness), 1, "the tree and its state are gone");
    drop(value);
}

/// rows: W-14
#[tokio::test]
async fn print_goes_to_the_terminal_of_the_run() {
    let (env, _) = faked(
        "local P = ParallelNode {} function P:say() print('cell', self.host.slug, nil, { 1 } ~= nil) end
        local A = Node { P = P.Array, Hosts = { one = { Fake { slug = 'a' }, Fake { slug = 'b' } } } }
        function A:go() print('hello') print(self) self.P:say() end
        return A",
    );
    let terminal = ScriptedTerminal::new();
    let context = RunContext { terminal: terminal.clone(), ..RunContext::quiet() };
    Env::new(env.node().clone(), context).call("go", Vec::new()).await.unwrap();
    let output = terminal.output();
    assert!(output.starts_with("hello\nEnv(deploy)\n"), "{output}");
    for slug in ["a", "b"] {
        assert!(output.contains(&format!("[{slug}] cell\t{slug}\tnil\ttrue\n")), "{output}");
    }
}

/// rows: C-12
#[tokio::test]
async fn one_failing_cell_of_many_fails_the_call_after_all_have_ended() {
    let (env, fake) = faked(&format!(
        "{}
        function P:some() if self.host.slug == 'h007' then error('no') end self.host:run('x', {{ interactive = false }}) end
        function A:go() return self.P:some() end
        return A",
        many("")
    ));
    let error = env.call("go", Vec::new()).await.unwrap_err();
    let Cause::Parallel(outcomes) = &*error.cause else { panic!("{error:?}") };
    assert_eq!(outcomes.len(), CELLS);
    assert!(matches!(&outcomes[6].outcome, Outcome::Failed(inner) if inner.to_string().ends_with(": no")));
    assert_eq!(fake.lines.lock().unwrap().len(), CELLS - 1);
}
