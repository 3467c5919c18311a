//! Programs that want the whole screen, and programs that want a password.

use deployer_tests::terminal::ESCAPE;
use deployer_tests::{TestUser, World};

// rows: F-15 F-32 F-35 Q-13 Q-14
#[test]
fn a_remote_editor_fills_the_screen_follows_its_size_and_saves() {
    let world = World::new();
    let farm = world.sshd(1);
    let notes = farm.home().join("notes.txt");
    std::fs::write(&notes, "first line\n").unwrap();
    world.deploy(&format!(
        r#"
local Box = Node {{ Hosts = {{ host = {host} }} }}
function Box:edit() self.hosts:run("vim -u NONE -N -i NONE ~/notes.txt") end
return Box
"#,
        host = farm.lua(0, "box", "")
    ));
    let _daemon = world.listen();
    let mut operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("edit");
    operator.wait_for("the editor fills 24 lines", |screen| {
        let rows: Vec<String> = screen.rows(0, 80).collect();
        rows[0].starts_with("first line")
            && rows[1..23].iter().all(|row| row.trim_end() == "~")
            && rows[23].contains("notes.txt")
    });
    operator.send("osecond line");
    operator.wait_for_text("the typed line", "first line\nsecond line\n");
    operator.send(ESCAPE);
    operator.resize(50, 200);
    operator.wait_for("the editor fills 50 lines", |screen| {
        let rows: Vec<String> = screen.rows(0, 200).collect();
        rows[0].starts_with("first line") && rows[2..49].iter().all(|row| row.trim_end() == "~")
    });
    operator.send(":set columns? lines?\r");
    operator.wait_for_text("the editor knows its size", "columns=200");
    operator.send("\r");
    operator.send(":wq\r");
    operator.wait_for_prompt("deploy > ");
    assert_eq!(std::fs::read_to_string(&notes).unwrap(), "first line\nsecond line\n");
    operator.send_line("exit");
    assert_eq!(operator.exit_status(), 0);
}

fn user_box(world: &World, user: &TestUser, password: &str) -> deployer_tests::Sshd {
    let farm = world.sshd(1);
    let host = farm.lua(0, "box", &format!("password = {password:?}"));
    let host = host.replace(
        &format!("username = {:?}", deployer_tests::sshd::user_name()),
        &format!("username = {:?}", user.name),
    );
    world.deploy(&format!(
        r#"
local Box = Node {{ Hosts = {{ host = {host} }} }}
function Box:who() self.hosts:sudo("id -un; tty || true") end
function Box:quiet() return "I am " .. self.hosts[1]:sudo("id -un", {{ interactive = false }}) end
return Box
"#
    ));
    farm
}

// rows: F-19 F-21 W-04 W-32
#[test]
fn sudo_gets_its_password_and_nobody_else_does() {
    let Some(user) = TestUser::of_this_run("sudo") else { return };
    let world = World::new();
    let farm = user_box(&world, &user, &user.password);
    let _daemon = world.listen();
    let mut operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("who");
    operator.wait_for_line("who one is under sudo", "root");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("quiet");
    operator.wait_for_text("the same without a terminal", "I am root");
    let logs = [
        std::fs::read_to_string(world.daemon_log()).unwrap(),
        std::fs::read_to_string(farm.log()).unwrap(),
        operator.raw(),
    ];
    assert!(!logs.iter().any(|log| log.contains(&user.password)), "the password was shown");
}

#[test]
fn a_wrong_sudo_password_is_tried_once_and_said() {
    let Some(user) = TestUser::of_this_run("sudo") else { return };
    let world = World::new();
    let _farm = user_box(&world, &user, "certainly-not-it");
    let who = world.run(&["run", "--", "who"]);
    assert_eq!(who.status, Some(1), "{who:#?}");
    assert!(who.stderr.contains("password") && who.stderr.contains("box"), "{who:#?}");
    assert!(!who.stderr.contains("certainly-not-it") && !who.stdout.contains("certainly-not-it"), "{who:#?}");
}
