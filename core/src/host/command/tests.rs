#![allow(clippy::unwrap_used)]

use super::*;
use crate::host::conformance;

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
