#![allow(clippy::unwrap_used)]

use super::*;
use crate::host::conformance;
use crate::host::files::FileOptions;

fn host(wrapper: &[&str]) -> HostDef {
    CommandHost::define("box", wrapper.iter().copied()).build()
}

/// `env` and `nice` run what they are given as a container would, with the same streams and the same end.
// rows: F-02
#[tokio::test]
async fn everything_that_holds_for_hosts_holds_behind_a_wrapper() {
    conformance::all(CommandHosts.host(&host(&["env", "IT'S=in a box", "nice"]))).await;
}

/// `sh -c` reads one line, as `ssh` and `su -c` have it read over there.
// rows: F-02
#[tokio::test]
async fn everything_holds_behind_a_wrapper_that_takes_one_line() {
    let one_line = CommandHost::define("box", ["sh", "-c"]).extra("takes_line", Value::Bool(true)).build();
    conformance::all(CommandHosts.host(&one_line)).await;
    let odd = CommandHost::define("box", ["sh", "-c"]).extra("takes_line", Value::text("yes")).build();
    assert_eq!(CommandHosts.check(odd.settings()).unwrap_err(), "takes_line must be true or false");
}

#[tokio::test]
async fn commands_and_the_start_path_go_through_the_wrapper() {
    let host = CommandHosts.host(&host(&["env", "-C", "/", "IT_IS=in a box"]));
    let stage = conformance::Stage::plain(&host);
    assert_eq!(stage.text("echo \"$IT_IS\"; pwd").await, "in a box\n/");
    assert_eq!(host.start_path(&stage.host.io().reach()).await.unwrap(), "/");
}

#[tokio::test]
async fn a_wrapper_that_does_not_exist_is_an_error_that_names_it() {
    let stage = conformance::Stage::plain(&CommandHosts.host(&host(&["no-such-wrapper"])));
    let failed = stage.host.run_with("true", &conformance::hidden()).await.unwrap_err();
    assert!(failed.to_string().contains("127"), "{failed}");
}

/// One test per case, so that each failure has a name.
macro_rules! files_conform {
    ($($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            let words = CommandHosts.host(&host(&["env", "IT'S=in a box", "nice"]));
            crate::host::files::conformance::$case(&words).await;
            let line = CommandHost::define("box", ["sh", "-c"]).extra("takes_line", Value::Bool(true)).build();
            crate::host::files::conformance::$case(&CommandHosts.host(&line)).await;
        }
    )*};
}

files_conform! {
    open_files replaced_in_one_step asking_about_files transfers a_sparse_giant trees interrupted_transfers
    a_full_disk files_in_a_sandbox files_as_root
}

/// A wrapper that counts how often it is started, and does something with what it runs.
fn counted(count: &std::path::Path, run: &str) -> Arc<dyn Host> {
    let wrapper = format!("echo >> {}; {run}", count.display());
    CommandHosts.host(&host(&["sh", "-c", &wrapper, "box"]))
}

fn starts(count: &std::path::Path) -> usize {
    std::fs::read(count).unwrap_or_default().len()
}

// rows: F-57
#[tokio::test(flavor = "multi_thread")]
async fn many_small_files_need_few_starts_of_the_wrapper() {
    let here = tempfile::tempdir().unwrap();
    let at = |name: &str| here.path().join(name);
    let box_host = counted(&at("count"), r#"exec "$@""#);
    std::fs::create_dir(at("tree")).unwrap();
    let content = |number: usize| vec![number as u8; 1 + number * 37];
    for number in 0..200 {
        std::fs::write(at("tree").join(number.to_string()), content(number)).unwrap();
    }
    let whole = FileOptions { recursive: true, ..FileOptions::default() };
    let stage = conformance::Stage::plain(&box_host);
    // The second time each file is there already.
    for _ in 0..2 {
        let before = starts(&at("count"));
        assert_eq!(stage.host.put_file(at("tree"), at("there"), &whole).await.unwrap().files, 200);
        assert!(starts(&at("count")) - before < 10, "{}", starts(&at("count")) - before);
    }
    let before = starts(&at("count"));
    assert_eq!(stage.host.get_file(at("there"), at("back"), &whole).await.unwrap().files, 200);
    assert!(starts(&at("count")) - before < 10, "{}", starts(&at("count")) - before);
    for number in 0..200 {
        assert_eq!(std::fs::read(at("back").join(number.to_string())).unwrap(), content(number), "{number}");
    }
}

// rows: F-57
#[tokio::test(flavor = "multi_thread")]
async fn where_no_shell_can_be_kept_open_each_script_starts_the_wrapper() {
    let here = tempfile::tempdir().unwrap();
    let at = |name: &str| here.path().join(name);
    for run in [
        // It passes no input on; it has no shell that reads it.
        r#"exec "$@" </dev/null"#,
        r#"case "$3" in *"sh -s"*) echo no such thing; exit 3;; esac; exec "$@""#,
    ] {
        let box_host = counted(&at("count"), run);
        let stage = conformance::Stage::plain(&box_host);
        std::fs::write(at("small"), "small").unwrap();
        stage.host.put_file(at("small"), at("there"), &FileOptions::default()).await.unwrap();
        stage.host.get_file(at("there"), at("back"), &FileOptions::default()).await.unwrap();
        assert_eq!(std::fs::read_to_string(at("back")).unwrap(), "small");
        std::fs::remove_file(at("there")).unwrap();
    }
}

// rows: F-57
#[tokio::test(flavor = "multi_thread")]
async fn a_shell_that_goes_away_is_told_and_leaves_the_old_file() {
    let here = tempfile::tempdir().unwrap();
    let at = |name: &str| here.path().join(name);
    // `mv` in the box ends the shell that runs it.
    std::fs::create_dir(at("bin")).unwrap();
    let mv = at("bin/mv");
    let ends_it =
        "#!/bin/sh\ntr '\\0' ' ' < /proc/$PPID/cmdline | grep -q '^/bin/sh -s $' && kill -KILL $PPID\nexit 9\n";
    std::fs::write(&mv, ends_it).unwrap();
    std::fs::set_permissions(&mv, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("PATH={}:/usr/bin:/bin", at("bin").display());
    let box_host = CommandHosts.host(&host(&["env", &path]));
    let stage = conformance::Stage::plain(&box_host);
    std::fs::write(at("new"), "new").unwrap();
    std::fs::write(at("there"), "old").unwrap();
    let failed = stage.host.put_file(at("new"), at("there"), &FileOptions::default()).await.unwrap_err().to_string();
    assert!(failed.contains("the shell behind its wrapper ended ("), "{failed}");
    assert!(failed.contains("the old file is as it was"), "{failed}");
    assert_eq!(std::fs::read_to_string(at("there")).unwrap(), "old");
    let left = std::fs::read_dir(here.path()).unwrap().flatten();
    assert!(
        !left.into_iter().any(|entry| entry.file_name().to_string_lossy().contains("deployer")),
        "a temporary is left"
    );
}
