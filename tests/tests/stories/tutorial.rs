//! The tutorial, done: its files against real servers, as its reader would.

use std::fs;
use std::path::{Path, PathBuf};

use deployer_tests::terminal::Terminal;
use deployer_tests::{Sshd, World};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs")
}

fn example(name: &str) -> String {
    fs::read_to_string(docs().join("examples").join(name)).unwrap()
}

/// The blocks of the tutorial in this language.
fn blocks(language: &str) -> Vec<String> {
    let tutorial = fs::read_to_string(docs().join("tutorial.md")).unwrap();
    let begin = format!("```{language}\n");
    tutorial.split(&begin).skip(1).map(|rest| rest.split_once("```").unwrap().0.to_string()).collect()
}

/// The file with the reader's own server in it, as the tutorial asks for.
fn with_server(file: &str, host: &str, farm: &Sshd) -> String {
    let at = file.find(&format!("SSHHost {{ slug = {host:?}")).expect("the host of the example");
    let end = at + file[at..].find('}').unwrap() + 1;
    format!("{}{}{}", &file[..at], farm.lua(0, host, ""), &file[end..])
}

#[test]
fn what_the_tutorial_shows_is_in_its_files() {
    let files: Vec<String> = ["two_hellos.lua", "django.lua", "reusable.lua"].map(example).to_vec();
    let shown = blocks("lua");
    assert!(shown.len() > 10, "{shown:#?}");
    for block in shown {
        let alone = block.starts_with("return require");
        assert!(alone || files.iter().any(|file| file.contains(&block)), "in no file:\n{block}");
    }
}

// rows: U-03 U-04
#[test]
fn two_greeters_one_of_them_far_away() {
    let world = World::new();
    let farm = world.sshd(1);
    let file = world.write("two_hellos.lua", &with_server(&example("two_hellos.lua"), "my-host", &farm));
    let mut shell = world.terminal("reader", "deployer", &["-f", file.to_str().unwrap(), "run"]);
    let session = blocks("console").remove(0);
    for line in session.lines() {
        match line.split_once(" > ") {
            Some((prompt, typed)) => {
                shell.wait_for_prompt(&format!("{prompt} > "));
                shell.send_line(typed);
            }
            None => shell.wait_for_line("as in the tutorial", line),
        }
    }
    assert_eq!(shell.exit_status(), 0);
    assert_eq!(farm.logins(), [1]);
}

// rows: U-05
#[test]
fn an_empty_deployment_has_a_shell() {
    let world = World::new();
    let empty = blocks("lua").into_iter().find(|block| block.starts_with("return require")).unwrap();
    world.write("deploy.lua", &empty);
    let mut shell = world.terminal("reader", "deployer", &["run"]);
    shell.wait_for_prompt("deploy > ");
    shell.send_line("exit");
    assert_eq!(shell.exit_status(), 0);
}

/// A repository with an application, and a virtualenv whose pip says what it was asked for. No package is fetched: what pip
/// does with its arguments is not what is shown here.
fn project(farm: &Sshd) -> PathBuf {
    let home = farm.home();
    let repository = home.join("example.git");
    let bin = home.join(".virtualenvs/project-env/bin");
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(&repository).unwrap();
    fs::write(
        bin.join("activate"),
        format!("VIRTUAL_ENV={0}; PATH={0}/bin:$PATH; export VIRTUAL_ENV PATH\n", bin.parent().unwrap().display()),
    )
    .unwrap();
    script(&bin.join("pip"), "#!/bin/sh\necho \"pip of ${VIRTUAL_ENV##*/}: $*\"\n");
    script(&bin.join("python"), "#!/bin/sh\nexec /bin/sh \"$@\"\n");
    fs::write(
        repository.join("manage.py"),
        "case $1 in shell) printf 'name? '; read name; echo \"shell of $name\";; *) echo \"managed $*\";; esac\n",
    )
    .unwrap();
    fs::write(repository.join("requirements.txt"), "django\n").unwrap();
    git(&repository, &["init", "-q", "-b", "main"]);
    git(&repository, &["add", "."]);
    git(&repository, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "first"]);
    git(&repository, &["tag", "v1"]);
    repository
}

fn script(file: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Types a line at the prompt, and waits for what it brings about.
fn does(shell: &mut Terminal, typed: &str, told: &str) {
    shell.wait_for_prompt("deploy > ");
    shell.send_line(typed);
    shell.wait_for_text(typed, told);
}

fn git(directory: &Path, words: &[&str]) {
    let done = std::process::Command::new("git").arg("-C").arg(directory).args(words).output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

// rows: U-06 U-07 U-08 U-09 U-10 U-11
#[test]
fn a_web_application_step_by_step() {
    let world = World::new();
    let farm = world.sshd(1);
    let repository = project(&farm);
    let here = farm.home();
    let supervisor = here.join("supervisor.conf");
    // What the reader replaces by their own: the server, the repository, the place of the last file.
    let file = with_server(&example("django.lua"), "server", &farm)
        .replace("git@github.com:example/example.git", repository.to_str().unwrap())
        .replace("/etc/supervisor/conf.d/django-project.conf", supervisor.to_str().unwrap());
    world.write("deploy.lua", &file);
    let mut shell = world.terminal("reader", "deployer", &["run"]);
    does(&mut shell, "git_clone", "Cloning into");
    does(&mut shell, "git_checkout v1", "HEAD is now at");
    does(&mut shell, "git_checkout \"v1'; touch ~/pwned; '\"", "abort, retry or skip?");
    shell.send_line("abort");
    does(&mut shell, "upload_settings", "deploy > ");
    does(&mut shell, "install_requirements", "pip of project-env: install -r requirements.txt");
    does(&mut shell, "install_package \"two words\"", "pip of project-env: install two words");
    does(&mut shell, "manage migrate", "managed migrate");
    does(&mut shell, "django_shell", "name? ");
    shell.send_line("anna");
    shell.wait_for_text("what was typed was for the server", "shell of anna");
    shell.wait_for_prompt("deploy > ");
    shell.send_line("install_gunicorn");
    shell.wait_for_text("an action calls another", "pip of project-env: install gunicorn");
    shell.wait_for_prompt("deploy > ");
    // Others would be asked for a password.
    let root = rustix::process::getuid().is_root();
    if root {
        shell.send_line("upload_supervisor_config");
        shell.wait_for_prompt("deploy > ");
    }
    shell.send_line("exit");
    assert_eq!(shell.exit_status(), 0, "{}", shell.evidence());
    let project = here.join("git/django-project");
    assert!(fs::read_to_string(project.join("local_settings.py")).unwrap().starts_with("DEBUG = False\n"));
    assert!(!root || fs::read_to_string(&supervisor).unwrap().starts_with("[program:django-project]\n"));
    assert!(!here.join("pwned").exists(), "what comes from outside stays text");
}

// rows: U-12 U-13 U-14
#[test]
fn parts_to_use_again() {
    let world = World::new();
    let farm = world.sshd(1);
    let repository = project(&farm);
    let file = with_server(&example("reusable.lua"), "server", &farm)
        .replace("git@github.com:example/example.git", repository.to_str().unwrap());
    world.write("deploy.lua", &file);
    let mut shell = world.terminal("reader", "deployer", &["run"]);
    for (typed, told) in [
        ("setup", "pip of project-env: install gunicorn"),
        ("code checkout v1", "HEAD is now at"),
        ("manage migrate", "managed migrate"),
        ("ls", "setup   manage"),
    ] {
        does(&mut shell, typed, told);
    }
    shell.wait_for_prompt("deploy > ");
    shell.send_line("exit");
    assert_eq!(shell.exit_status(), 0);
    // Without the value that is required nothing runs, and the mistake is found before.
    world.write("deploy.lua", &file.replace("  env__location = \"~/.virtualenvs/project-env\",\n", ""));
    let check = world.run(&["check"]);
    assert_eq!(check.status, Some(2), "{check:#?}");
    assert!(check.stderr.contains("location") || check.stdout.contains("location"), "{check:#?}");
}
