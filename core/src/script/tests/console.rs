//! Questions of scripts to the operator, and questions about hosts.

use super::{Files, LuaFile, load, quiet};
use crate::console::Console;
use crate::env::{ActionError, Env, RunContext};
use crate::terminal::scripted::ScriptedTerminal;
use crate::value::Value;

/// What `body` gives while these keys are typed; the screen too.
async fn asked(body: &str, keys: Option<&str>) -> (Result<Value, ActionError>, String) {
    let root =
        load(&format!("local A = Node 'A' {{}} function A:go() local c = self.console {body} end return A")).unwrap();
    let terminal = match keys {
        Some(_) => ScriptedTerminal::interactive(),
        None => ScriptedTerminal::new(),
    };
    let keys = keys.unwrap_or_default();
    match ["Sure?", "Word"].into_iter().find(|asked| body.contains(asked)) {
        // What is typed before such a question does not answer it.
        Some(asked) if !keys.is_empty() => terminal.type_at(asked, keys),
        _ => {
            terminal.type_keys(keys).await;
            terminal.end_of_input();
        }
    }
    let context =
        RunContext { terminal: terminal.clone(), asker: Console::new(terminal.clone()), ..RunContext::quiet() };
    let env = Env::new(root, context);
    let result = env.call("go", Vec::new()).await;
    // Shown while the file is loaded.
    let result = result.map(|value| Value::text(value.to_string()));
    (result, terminal.output())
}

// rows: E-05 I-01 I-02 I-03 I-04 I-06 I-07 I-08 I-09 I-10 I-12 I-13 I-14 I-16 I-17 I-18 I-19 I-23 K-15
#[tokio::test]
async fn scripts_ask_the_operator() {
    let cases = [
        ("return c.is_interactive, tostring(c)", Some(""), "true, <console of A>"),
        ("return c:confirm('Sure?')", Some("maybe\ry\r"), "true"),
        ("return c:confirm('Sure?', { default = false })", Some("\r"), "false"),
        ("return c:confirm('Sure?', { default = true })", Some("n\r"), "false"),
        ("return c:input('Name')", Some("\r\rAnn\r"), "Ann"),
        ("return c:input('Word', { is_password = true })", Some("s3cret\r"), "s3cret"),
        ("return c:input('Branch', { answers = { 'Main', 'next' }, default = 'Main' })", Some("\r"), "Main"),
        ("return c:input('Branch', { answers = { 'Main', 'next' } })", Some("x\rmain\r"), "Main"),
        ("return c:choice('Which?', { 'a', 'b' })", Some("3\r2\r"), "b"),
        ("return c:choice('Which?', { { 'one', 11 }, { 'two', 22 } }, { default = 22 })", Some("9\r\r"), "22"),
        ("return c:choice('Which?', { { 'one', 11 }, { 'two', 11 } }, { allow_random = true })", Some("\r"), "11"),
        ("return c:warning('look\\nout')", Some(""), "nil"),
        (
            "c:warning('careful') return pcall(c.confirm, c, 'x')",
            Some("\x03"),
            "false, no answer to 'x': the question was cancelled",
        ),
        // Nobody is there.
        ("return c.is_interactive", None, "false"),
        ("return c:confirm('Sure?', { default = true })", None, "true"),
        ("return c:choice('Which?', { { 'one', 11 } }, { allow_random = true })", None, "11"),
        (
            "local ok, e = pcall(c.input, c, 'Name') return e.kind, e.question, e.message",
            None,
            "no_input, Name, no answer to 'Name': nobody is there to answer",
        ),
        ("local ok, e = pcall(c.choice, c, 'Which?', {}) return e.kind", Some(""), "no_input"),
        // Wrong use.
        (
            "return c:choice('Which?', { 'a' }, { default = 'b' })",
            Some(""),
            "the default of choice is not among the values of its options",
        ),
        ("return c:choice('Which?', 'a')", Some(""), "the options of choice are a list, got text"),
        (
            "return c:input('x', { default = 'y' })",
            Some(""),
            "the default of input is one of its answers: give `answers` too",
        ),
        ("return c:input('x', { answers = { 'y', 'Y' } })", Some(""), "the answer 'y' is there twice"),
        ("return c:confirm('x', { default = 'y' })", Some(""), "default must be true or false, got text"),
        ("return c:confrm('x')", Some(""), "the console has no 'confrm'; did you mean 'confirm'?"),
        (
            "return c.confirm('x')",
            Some(""),
            "confirm needs a console in front, as in `self.console:confirm(...)`; got text",
        ),
    ];
    let mut wrong = Vec::new();
    for (body, keys, expected) in cases {
        let (result, screen) = asked(body, keys).await;
        let said = result.map_or_else(|error| error.to_string(), |value| value.to_string());
        if said != expected {
            wrong.push(format!("{body}\n  expected: {expected}\n  got:      {said}\n{screen}"));
        }
        assert!(!screen.contains("s3cret"), "{screen}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let (_, screen) = asked("c:choice('Which?', { 'beta', 'alpha' })", Some("1\r")).await;
    assert!(screen.contains("  1) beta\r\n  2) alpha\r\n"), "{screen:?}");
    let (_, screen) = asked("c:warning('look\\nout')", Some("")).await;
    assert!(screen.contains("*** look\\nout ***"), "{screen:?}");
    let (result, _) = asked("c:input('x')", Some("\x03")).await;
    assert!(result.unwrap_err().is_interrupted(), "Ctrl-C at a question that nobody catches ends the run");
}

// rows: I-15
#[tokio::test]
async fn a_wrong_number_is_told_and_the_list_comes_again() {
    let (result, screen) = asked("return c:choice('Which?', { 'beta', 'alpha' })", Some("7\r2\r")).await;
    assert_eq!(result.unwrap().to_string(), "alpha");
    assert_eq!(screen.matches("  1) beta\r\n  2) alpha\r\n").count(), 2, "{screen:?}");
    assert!(screen.contains("please type 1 or 2"), "{screen:?}");
}

// rows: I-20 I-22 I-24 I-26 I-27
#[tokio::test]
async fn scripts_show_columns_pages_and_how_far_they_are() {
    let cases = [
        ("return table.concat(c:in_columns({ 'one', 'two' }, { margin_left = 2 }), '|')", "  one two"),
        ("c:lesspipe({ 'a', 'b' }) return 1", "1"),
        ("return c:progress_bar('copy', { expected = 2 }, function(p) p:next() p:next() return 'done' end)", "done"),
        ("do local p <close> = c:progress_bar('copy') p:set_progress(4, { rewrite = false }) end return 2", "2"),
        (
            "c:progress_bar_with_steps('ssh', { steps = { 'dial', 'log in' } }, function(p) p:set_progress(2) end)",
            "nil",
        ),
        ("return pcall(c.progress_bar, c, 'x', {}, function() error('broken') end)", "deploy.lua:1: broken"),
        ("return c:progress_bar('x', { steps = { 'a' } })", "progress_bar has no option 'steps'"),
        ("return c:progress_bar_with_steps('x')", "progress_bar_with_steps needs steps"),
        (
            "return c:progress_bar_with_steps('x', { steps = { a = 'b' } })",
            "a step must be a whole number from 0 on, got text",
        ),
        ("return c:progress_bar('x', { format = '{speed}' })", "the format of a progress bar has no {speed}"),
        ("local bar; c:progress_bar('x', function(p) bar = p end) bar:next()", "this progress bar has ended"),
        ("return c:in_columns(3)", "in_columns takes a list of texts, got a number"),
    ];
    for (body, expected) in cases {
        let (result, screen) = asked(body, Some("")).await;
        let said = result.map_or_else(|error| error.to_string(), |value| value.to_string());
        assert!(said.starts_with(expected) || said.contains(expected), "{body}: {said}\n{screen}");
    }
    let (_, screen) = asked(cases[2].0, Some("")).await;
    assert!(
        screen.contains("\r\x1b[Kcopy: 0/2  0%  0:00") && screen.contains("copy: 2/2  100%  0:00  DONE\r\n"),
        "{screen:?}"
    );
    let (_, screen) = asked(cases[4].0, Some("")).await;
    assert!(screen.contains("ssh: 2/2  100%  0:00  log in"), "{screen:?}");
    let (_, screen) = asked(cases[5].0, Some("")).await;
    assert!(screen.contains("x: 0  0:00  failed"), "{screen:?}");
}

const TREE: &str = "local Web = ParallelNode 'Web' {} function Web:go() end
    local App = Node 'App' { Web = Web.Array { Hosts = map_roles { host = 'web' } } }
    local One = Node 'One' {}
    local A = Node 'A' { Hosts = { web = { h1, h2 } }, App = App, One = One }
    function A:pick(path) return tostring(self.console:select_node(self, 'Where?')) end
    function A:pick_web() return tostring(self.console:select_node(self, nil, { filter = d.filters.HasAction('go') })) end
    function A:cell() return tostring(self.console:select_node_isolation(self.App.Web)) end
    function A:own() return tostring(self.console:select_node_isolation(self.One)) end
    return A";

// rows: I-28 I-29
#[tokio::test]
async fn a_person_picks_a_node_by_its_path_and_a_cell_of_it() {
    for (action, keys, expected) in [
        // Tab completes; a node that is no array is taken as it is.
        ("pick", "o\t\r", "One"),
        ("pick", "App.W\t\r2\r", "App.Web"),
        ("pick", ".\r", "A"),
        ("pick_web", "app.\r1\r", "App.Web"),
        ("cell", "1\r", "App.Web"),
        ("own", "", "One"),
    ] {
        let root = load(TREE).unwrap();
        let terminal = ScriptedTerminal::interactive();
        terminal.type_keys(keys).await;
        terminal.end_of_input();
        let context =
            RunContext { terminal: terminal.clone(), asker: Console::new(terminal.clone()), ..RunContext::quiet() };
        let result = Env::new(root, context).call(action, Vec::new()).await;
        let said = result.map_or_else(|error| error.to_string(), |value| value.to_string());
        assert!(said.contains(expected), "{action} {keys:?}: {said}\n{}", terminal.output());
        if keys.ends_with("2\r") {
            assert!(said.contains("h2") && terminal.output().contains("1) h1"), "{said}\n{}", terminal.output());
        }
    }
}

// rows: I-02 C-09
#[tokio::test]
async fn cells_ask_with_their_name_in_front() {
    let root = load(
        "local A = ParallelNode 'A' { Hosts = { host = { h1, h2 } } }
        function A:go() return self.console:input('colour') end return A",
    )
    .unwrap();
    let terminal = ScriptedTerminal::interactive();
    terminal.type_keys("red\rblue\r").await;
    let context =
        RunContext { terminal: terminal.clone(), asker: Console::new(terminal.clone()), ..RunContext::quiet() };
    let result = Env::new(root, context).call("go", Vec::new()).await.unwrap();
    let Value::Parallel(result) = result else { panic!("{result:?}") };
    let mut answers: Vec<String> = result.entries.iter().map(|(_, value)| value.to_string()).collect();
    answers.sort();
    assert_eq!(answers, ["blue", "red"]);
    let output = terminal.output();
    assert!(output.contains("h1: colour") && output.contains("h2: colour"), "{output:?}");
}

// rows: K-04 K-06 K-07 K-08 K-09
#[tokio::test]
async fn scripts_read_what_ifconfig_prints() {
    let cases = [
        (
            "return #i, i.interfaces[2].name, i:get_interface('lo').ip, i:get_address('10.0.0.9').name",
            "2, eth0, 127.0.0.1, eth0",
        ),
        (
            "return tostring(i), tostring(i:get_interface('lo'))",
            "IfConfig(interfaces=2), NetworkInterface(name='lo', ip='127.0.0.1')",
        ),
        (
            "return i:get_interface('x')",
            "no network interface with name 'x'; there are: NetworkInterface(name='lo', ip='127.0.0.1'), NetworkInterface(name='eth0', ip='10.0.0.9')",
        ),
        ("return #d.parse_ifconfig_output(text, { only_active_interfaces = false })", "3"),
        ("return i:get_interfaces()", "an IfConfig has no 'get_interfaces'; did you mean 'get_interface'?"),
        ("return i:get_interface('lo').ipv6", "a network interface has no 'ipv6'; did you mean 'ip'?"),
        ("return d.parse_ifconfig_output(3)", "the output of ifconfig must be text, got a number"),
    ];
    for (body, expected) in cases {
        let text =
            "lo: flags\\n  inet 127.0.0.1 netmask 255.0.0.0\\neth0: flags\\n  inet 10.0.0.9\\nwl: flags\\n  ether x\\n";
        let snippet = format!(
            "local A = Node {{}} function A:go() local text = '{text}' local i = d.parse_ifconfig_output(text) {body} end return A"
        );
        assert_eq!(super::said(&snippet, "go").await, expected, "{body}");
    }
}

// rows: F-40 F-41 F-43 F-78 F-79
#[tokio::test]
async fn scripts_ask_hosts() {
    let files = Files::new(&[("some.txt", "x"), ("folder/inner", "y")]);
    let folder = files.path("").display().to_string();
    let folder = folder.trim_end_matches('/');
    let text = format!(
        "local d = require 'deployer'
        local A = d.Node {{ Hosts = {{ a = d.LocalHost, b = d.LocalHost }} }}
        function A:there()
          local h, no = self.hosts[1], {{ use_sudo = false }}
          local _ <close> = self.hosts:cd('{folder}')
          return h:exists('some.txt', no), h:exists('folder', no), h:exists('nothing', no), h:getcwd() == '{folder}'
        end
        function A:commands()
          local h = self.hosts[1]
          return h:has_command('sh'), h:has_command('no-such-command'), #self.hosts:has_command('sh'), #self.hosts:getcwd()
        end
        function A:net() local i = self.hosts[1]:ifconfig() return i == nil or tostring(i):match('^IfConfig') ~= nil end
        function A:many() return self.hosts.ifconfig end
        return A"
    );
    std::fs::write(files.path("deploy.lua"), text).unwrap();
    let root = LuaFile::new(files.path("deploy.lua")).load().unwrap();
    let env = quiet(root.clone());
    let say = async |env: &Env, action: &str| match env.call(action, Vec::new()).await {
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(say(&env, "there").await, "true, true, false, true");
    assert_eq!(say(&env, "commands").await, "true, false, 2, 2");
    assert!(say(&env, "many").await.starts_with("'ifconfig' is for one host"));
    // Machines without any of the programs are told so.
    let net = say(&env, "net").await;
    assert!(net == "true" || net.contains("ifconfig"), "{net}");
    let sandbox = Env::new(root, RunContext { sandbox: true, ..RunContext::quiet() });
    assert_eq!(say(&sandbox, "there").await, "nil, nil, nil, true", "a sandbox does not know");
    assert_eq!(say(&sandbox, "net").await, "true");
}
