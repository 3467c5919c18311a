//! What is typed before anybody reads it waits for whoever reads next.

use deployer_tests::terminal::{CTRL_C, Terminal};
use deployer_tests::{Daemon, Sshd, World};

fn begin(world: &World) -> (Sshd, Daemon, Terminal) {
    let farm = world.sshd(1);
    world.deploy(&format!(
        r#"
local Box = Node {{ Hosts = {{ near = LocalHost {{ slug = "near" }}, far = {far} }} }}
local function read(self, slug) self.hosts:filter(slug):run("read -r word; echo got=$word") end
function Box:near() read(self, "near") end
function Box:far() read(self, "far") end
--- Waits for ./go, then a question and a program read.
function Box:late()
  self.hosts:filter("near"):run("until [ -e go ]; do sleep 0.02; done", {{ interactive = false }})
  print("asked=" .. self.console:input("what"))
  read(self, "near")
end
function Box:quiet() self.hosts:filter("near"):run("true", {{ interactive = false }}) end
function Box:secret()
  print("told=" .. self.console:input("Word", {{ is_password = true }}))
end
return Box
"#,
        far = farm.lua(0, "far", ""),
    ));
    let daemon = world.listen();
    let operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    (farm, daemon, operator)
}

#[test]
fn keys_typed_between_the_line_in_the_log_and_the_program_are_the_programs() {
    let world = World::new();
    let (_farm, _daemon, mut operator) = begin(&world);
    for host in ["near", "far"] {
        for word in ["one", "two", "three", "four", "five"] {
            operator.send_line("clear");
            operator.wait_for("an empty screen", |screen| screen.contents().trim_end() == "deploy >");
            operator.send_line(host);
            operator.wait_for_text("the log names the command", "echo got=");
            operator.send_line(word);
            operator.wait_for_line("the program has read it", &format!("got={word}"));
            operator.wait_for_prompt("deploy > ");
        }
    }
}

#[test]
fn what_is_typed_before_anybody_reads_goes_to_one_after_the_other_and_then_to_the_prompt() {
    let world = World::new();
    let (_farm, _daemon, mut operator) = begin(&world);
    operator.send("late\r");
    world.eventually_sessions("it runs", |all| matches!(all, [one] if one.running.is_some()));
    operator.send("for the question\rfor the program\r");
    assert!(!operator.contents().contains("for the"), "nobody echoes it yet: {}", operator.evidence());
    world.write("go", "");
    operator.wait_for_line("the question was answered", "asked=for the question");
    operator.wait_for_line("the program has read the rest", "got=for the program");
    operator.wait_for_prompt("deploy > ");
    operator.send("quiet\rfor the prompt");
    operator.wait_for("what nobody has read", |screen| screen.contents().trim_end().ends_with("> for the prompt"));
}

/// As lines are pasted.
#[test]
fn lines_typed_at_the_prompt_are_the_prompts_whatever_the_first_one_runs() {
    let world = World::new();
    let (_farm, _daemon, mut operator) = begin(&world);
    operator.send("near\rfar\rquiet\r");
    for word in ["one", "two"] {
        operator.wait_for("a program reads", |screen| {
            screen.contents().matches("echo got=").count() > usize::from(word == "two")
        });
        operator.send_line(word);
        operator.wait_for_line("it has read what was typed at it", &format!("got={word}"));
    }
    operator.wait_for_text("the last of them", "true");
    operator.wait_for_prompt("deploy > ");
    assert!(
        !operator.contents().contains("got=far") && !operator.contents().contains("got=quiet"),
        "{}",
        operator.evidence()
    );
}

#[test]
fn an_interrupt_drops_what_was_typed_before_it() {
    let world = World::new();
    let (_farm, _daemon, mut operator) = begin(&world);
    operator.send_line("late");
    world.eventually_sessions("it runs", |all| matches!(all, [one] if one.running.is_some()));
    operator.send(&format!("dropped\r{CTRL_C}"));
    operator.wait_for_text("that it was interrupted", "interrupt");
    operator.wait_for_prompt("deploy > ");
    assert!(!operator.contents().contains("dropped"), "{}", operator.evidence());
}

#[test]
fn a_password_is_never_taken_from_what_was_typed_before_it_was_asked_for() {
    let world = World::new();
    let (_farm, _daemon, mut operator) = begin(&world);
    operator.send("secret\rtoo early\r");
    operator.wait_for("the question, without an answer", |screen| screen.contents().trim_end().ends_with("Word:"));
    operator.send_line("in time");
    operator.wait_for_line("what was typed at the question", "told=in time");
    operator.wait_for_prompt("deploy > ");
    assert!(!operator.contents().contains("too early"), "{}", operator.evidence());
}
