//! Actions: `self`, attributes, calls, errors.

use super::{call, load, quiet, said};
use crate::env::Cause;
use crate::host::RunError;
use crate::node::Position;
use crate::value::Value;

/// Each snippet returns a class with an action `go`; what it gives is shown as the shell shows it.
///
/// rows: A-01 A-15 A-17 A-22 A-23 A-24 A-26 A-27 A-39 E-02 E-06 E-07 G-01 G-02 G-03 G-04 G-05 G-06 G-07 G-08 G-09 G-10 G-12 G-13 G-14 K-01 K-02 K-03
#[tokio::test]
async fn actions_give_what_they_say() {
    let go = |body: &str| {
        format!("return Node {{ v = 7, t = {{ a = {{ 1, 2 }}, b = 'x' }}, go = function(self)\n{body}\nend }}")
    };
    let cases = [
        (go("return self.v"), "7"),
        (go("return"), "nil"),
        (go("return 1, 'two', nil"), "1, two, nil"),
        (go("return { 1, 2, { x = 1 } }"), "[1, 2, {x: 1}]"),
        (go("return { b = 2, a = 'x' }"), "{a: x, b: 2}"),
        (go("return rawequal(self.t, self.t)"), "true"),
        (go("return tostring(self)"), "Env(deploy)"),
        (go("return self.parent"), "nil"),
        (go("return #self.hosts, self.hosts.roles"), "0, []"),
        (go("return self.nope"), "deploy: no attribute 'nope'; there is: v, t, go, hosts, parent, console, cells, initialize_node"),
        (go("return self.vv"), "deploy: no attribute 'vv'; did you mean 'v'?"),
        (go("self.x = 1"), "Env(deploy) is read-only: 'x' cannot be set; use a local variable"),
        (go("return self.host"), "deploy: no 'host': only a cell of a parallel node, or a JustOne node, has one host; this node has 'hosts'"),
        (go("error('no way')"), "deploy.lua:2: no way"),
        (go("error('no way', 0)"), "deploy.lua:2: no way"),
        (go("error { code = 3 }"), "deploy.lua:2: {code: 3}"),
        (go("return nil .. 'x'"), "deploy.lua:2: attempt to concatenate a nil value"),
        (go("return self.hosts.rol"), "hosts have no 'rol'; there is: run, sudo, cd, env, prefix, exists, getcwd, has_command, roles, filter, each, get_hosts"),
        (go("return ('%s-%d') % { 'a', 3 }, '%5.1f' % 2.25, '10' % 3"), "a-3,   2.2, 1"),
        (go("return d.esc1(\"it's\"), d.esc2('a\"b'), d.indent('a\\nb', '> '), d.esc1(3)"), "it'\\''s, a\\\"b, > a\n> b\n, 3"),
        (go("return self:initialize_node(Node 'Other' { x = 4 }).x"), "4"),
        (go("return self:initialize_node(Node 'Other' {}).parent"), "nil"),
        (go("return select('#', self.go), type(pcall), unpack"), "unknown name 'unpack'"),
        ("return Node { go = function(self, ...) return select('#', ...) end }".to_string(), "0"),
        ("local A = Node { B = Node { x = 3, go = function(self) return self.parent.y, self.x end }, y = 2 }
          function A:go() return self.B:go() end return A".to_string(), "2, 3"),
        ("local A = Node { B = Node { f = function(self, x) return x end } }
          function A:go() return self.B.f(1), self.B:f(2), self.B['f'](3) end return A".to_string(), "1, 2, 3"),
        ("local A = Node { p = property(function(self) return self.v * 2 end), v = 4 }
          function A:go() return self.p end return A".to_string(), "8"),
        ("local A = Node { go = function(self, x) return 'base', self.v end, v = 1 }
          local B = A { v = 2 } function B:go() return A.go(self) end return B".to_string(), "base, 2"),
        ("local A = Node { go = function(self, x) return 'base' end }
          local B = A {} function B:go() return A.go(A) end return B".to_string(),
         "go of a class needs a node first, as in `Base.go(self)`; got a node class: actions run on nodes"),
        ("local A = Node { go = function(self, x) return 'base' end }
          local B = A {} function B:go() return A.go(1) end return B".to_string(),
         "go of a class needs a node first, as in `Base.go(self)`; got a number"),
        ("return Node { C = Node { __call = function(self, x) return x end }, go = function(self) return self.C(1), self:C(2) end }".to_string(), "1, 2"),
        ("return Node { C = Node {}, go = function(self) return self.C(1) end }".to_string(), "deploy.C: cannot be called: the node has no default action"),
        ("return Node { r = required 'why', go = function(self) return self.r end }".to_string(), "deploy: required value 'r' is not set (why)"),
        ("return Node { go = function(self) return self.q.x end, q = Q.x }".to_string(), "query Q.x failed (deploy.lua:1): deploy: no attribute 'x'"),
        // Queries
        ("return Node { n = 5, q = Q.n * 2 + 1 - Q.n / 5, go = function(self) return self.q end }".to_string(), "10"),
        ("return Node { n = 5, q = 1 + Q.n, go = function(self) return self.q end }".to_string(), "6"),
        ("return Node { n = 5, q = -Q.n, go = function(self) return self.q end }".to_string(), "-5"),
        ("return Node { n = 'a', q = Q('%s-%s') % { Q.n, 2 }, go = function(self) return self.q end }".to_string(), "a-2"),
        ("return Node { n = 'a', q = '<%s>' % Q.n, go = function(self) return self.q end }".to_string(), "<a>"),
        ("return Node { n = 'a', q = 'x' .. Q.n .. 'y', go = function(self) return self.q end }".to_string(), "xay"),
        ("return Node { a = true, b = false, q = Q.a & ~Q.b | Q.b, go = function(self) return self.q end }".to_string(), "true"),
        ("return Node { n = 5, q = Q.eq(Q.n, 5) & Q.lt(Q.n, 6), go = function(self) return self.q end }".to_string(), "true"),
        ("return Node { t = { 'x', k = { 'y' } }, q = Q.t[1] .. Q.t.k[1], go = function(self) return self.q end }".to_string(), "xy"),
        ("return Node { x = 3, C = Node { q = Q.parent.x, go = function(self) return self.q end }, go = function(self) return self.C.q end }".to_string(), "3"),
        ("return Node 'Top' { x = 3, C = Node { D = Node { q = Q.parent('Top').x } }, go = function(self) return self.C.D.q end }".to_string(), "3"),
        ("return Node { f = function(self, a) return a end, n = 4, q = Q.f(Q.n) + Q:f(1), go = function(self) return self.q end }".to_string(), "5"),
        // Keyword arguments are a last table.
        ("return Node { f = function(self, a, o) return a + o.by end, n = 4, q = Q.f(Q.n, { by = 2 }), go = function(self) return self.q end }".to_string(), "6"),
        ("return Node { go = function() return Q.a == Q.a, pcall(function() return Q.a < 1 end) end }".to_string(), "false, false, queries are compared with Q.lt(a, b) and Q.eq(a, b): in Lua `<` can only give true or false at once"),
        ("return Node { C = Node { q = Q.parent:f(2) }, f = function(self, a) return a end, go = function(self) return self.C.q end }".to_string(), "2"),
        ("return Node { q = Q { Q.v, k = Q.v }, v = 1, go = function(self) return self.q[1], self.q.k end }".to_string(), "1, 1"),
        ("return Node { q = Q.parent.a(1, 'x')[2] % Q.z, go = function() return tostring(Q.parent.a(1, 'x')[2]) end }".to_string(), "Q.parent.a(1, \"x\")[2]"),
    ];
    let mut wrong = Vec::new();
    for (snippet, expected) in cases {
        let said = said(&snippet, "go").await;
        if said != expected {
            wrong.push(format!("{snippet}\n  expected: {expected}\n  got:      {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// rows: A-01 A-39
#[tokio::test]
async fn values_pass_through_untouched() {
    let snippet =
        "return Node { echo = function(self, ...) return ... end, make = function(self) return { self } end }";
    for value in [Value::Nil, Value::Int(-3), Value::Float(0.5), Value::Bool(true), Value::text(&b"\xff\x00"[..])] {
        assert_eq!(call(snippet, "echo", vec![value.clone()]).await.unwrap(), value);
    }
    let env = quiet(load(snippet).unwrap());
    let made = env.call("make", Vec::new()).await.unwrap();
    assert_eq!(made.to_string(), "[Env(deploy)]", "shown after the run has ended");
    let again = env.call("echo", vec![made]).await.unwrap();
    assert!(matches!(again, Value::Foreign(_)));
}

/// A failing call in an action names the line of the call, tail calls included, and keeps its cause.
///
/// rows: E-10 E-11 F-27 K-11 K-13
#[tokio::test]
async fn errors_keep_their_cause_and_line() {
    let snippet = "local A = Node { Hosts = { a = LocalHost } }
        function A:inner()
          local x = 1
          return self.hosts:run('echo out; exit 3', { interactive = false })
        end
        function A:outer()
          self:inner()
        end
        function A:through()
          local ok, e = pcall(self.inner, self)
          error(e)
        end
        return A";
    for (action, lines) in [("inner", vec![4]), ("outer", vec![4, 7]), ("through", vec![4, 10])] {
        let error = call(snippet, action, Vec::new()).await.unwrap_err();
        let Cause::Run(RunError::Failed(failure)) = &*error.cause else { panic!("{error:?}") };
        assert_eq!(failure.output.text(), "out");
        let found: Vec<u32> = error.chain.iter().map(|frame| frame.position.as_ref().unwrap().line).collect();
        assert_eq!(found, lines, "{action}");
        assert!(error.chain[0].position.as_ref().is_some_and(|Position { file, .. }| file.ends_with("deploy.lua")));
    }
}

/// rows: E-12 K-11 K-12 K-14
#[tokio::test]
async fn scripts_catch_errors_and_look_into_them() {
    let snippet = |body: &str| {
        format!(
            "local A = Node {{ Hosts = {{ a = LocalHost }}, r = required 'why', q = Q.r }}
            function A:fail() self.hosts:run('echo out; echo err >&2; exit 3', {{ interactive = false }}) end
            function A:raise() error({{ code = 5, message = 'own' }}) end
            function A:go() {body} end
            return A"
        )
    };
    let cases = [
        (
            "local ok, e = pcall(self.fail, self) return ok, e.kind, e.status, e.host, e.command, e.stdout, e.stderr",
            "false, run, 3, localhost, echo out; echo err >&2; exit 3, out\n, err\n",
        ),
        (
            "local ok, e = pcall(self.fail) return tostring(e), 'got ' .. e",
            "localhost: status 3: echo out; echo err >&2; exit 3, got localhost: status 3: echo out; echo err >&2; exit 3",
        ),
        (
            "local ok, e = pcall(function() return self.r end) return e.kind, e.name, e.message",
            "required, r, deploy: required value 'r' is not set (why)",
        ),
        (
            "local ok, e = pcall(function() return self.q end) return e.kind, e.query, e.inner.kind",
            "query, Q.r, required",
        ),
        ("local ok, e = pcall(function() return self.nope end) return e.kind, e.node", "unknown, deploy"),
        ("local ok, e = pcall(error, 'text') return e", "text"),
        ("local ok, e = pcall(error, { code = 3 }) return e.code", "3"),
        ("local ok, e = pcall(self.raise, self) return e.kind, e.value.code", "script, 5"),
        ("local ok, e = xpcall(self.fail, function(e) return e.status + 1 end, self) return e", "4"),
        (
            "local ok, e = pcall(function() self.hosts:run('x', { interactiv = false }) end) return e.kind, e.message",
            "usage, run has no option 'interactiv'; did you mean 'interactive'?",
        ),
        (
            "local ok, e = pcall(function() self.hosts.run('x') end) return e.message",
            "run needs hosts in front, as in `self.hosts:run(...)`; got text",
        ),
        (
            "local ok, e = pcall(function() self.hosts:run() end) return e.message",
            "the command of run must be text, got nothing",
        ),
        ("return pcall(self.fail) == false, select('#', pcall(self.fail))", "true, 2"),
    ];
    let mut wrong = Vec::new();
    for (body, expected) in cases {
        let said = said(&snippet(body), "go").await;
        if said != expected {
            wrong.push(format!("{body}\n  expected: {expected}\n  got:      {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// rows: C-27
#[tokio::test]
async fn endless_recursion_is_an_error() {
    let snippet = "local A = Node { p = property(function(self) return self.p end) }
        function A:go() return self:go() end
        function A:other() return 1 + self:other() end
        function A:prop() return self.p end
        return A";
    for action in ["go", "other", "prop"] {
        let error = said(snippet, action).await;
        assert!(error.contains("actions call each other") || error.contains("depends on itself"), "{action}: {error}");
    }
}

#[tokio::test]
async fn declared_parameters_must_be_given_and_tracebacks_show_the_script() {
    let snippet = "local A = Node {}
        ---@param name string
        ---@param times? number
        function A:greet(name, times) return name .. (times or 1) end
        function A:fail() local function inner() error('no') end inner() end
        return A";
    assert_eq!(said(snippet, "greet").await, "parameter 'name' is missing (parameters: name [times])");
    assert_eq!(call(snippet, "greet", vec!["x".into()]).await.unwrap().to_string(), "x1");
    let error = call(snippet, "fail", Vec::new()).await.unwrap_err();
    let Cause::Script { traceback: Some(traceback), .. } = &*error.cause else { panic!("{error:?}") };
    assert_eq!(traceback.lines().count(), 3, "{traceback}");
}
