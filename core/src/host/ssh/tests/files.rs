//! Files over SFTP, from a real sshd.

use std::sync::Arc;

use super::*;
use crate::host::conformance::Stage;
use crate::host::files::{FileOptions, OpenMode, Problem};
use crate::host::{HostContainer, RunError};

macro_rules! files_conform {
    ($($case:ident)*) => {mod conformance {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            let sshd = super::Sshd::start().await;
            let host: std::sync::Arc<dyn crate::host::Host> =
                std::sync::Arc::new(super::host(sshd.settings(), &super::pool()));
            crate::host::files::conformance::$case(&host).await;
        }
    )*}};
}

files_conform! {
    open_files replaced_in_one_step asking_about_files transfers a_sparse_giant trees interrupted_transfers
    a_full_disk files_in_a_sandbox files_as_root
}

fn stage(sshd: &Sshd, pool: &Arc<SshPool>) -> HostContainer {
    let host: Arc<dyn Host> = Arc::new(host(sshd.settings(), pool));
    Stage::plain(&host).host
}

// rows: W-50 W-51
#[tokio::test]
async fn all_files_of_a_host_share_one_channel() {
    let sshd = Sshd::start().await;
    let pool = pool();
    let host = stage(&sshd, &pool);
    let other = stage(&sshd, &pool);
    let directory = sshd.path("d");
    std::fs::create_dir(&directory).unwrap();
    let work = async |host: &HostContainer, name: &str| {
        let path = directory.join(name);
        let mut file = host.open(&path, OpenMode::Write, &FileOptions::default()).await.unwrap();
        file.write("x").await.unwrap();
        file.close().await.unwrap();
        host.stat(&path).await.unwrap().unwrap();
    };
    within("both", async { tokio::join!(work(&host, "one"), work(&other, "two")) }).await;
    within("again", work(&host, "three")).await;
    assert_eq!(
        (sshd.log().matches("Starting session: subsystem 'sftp'").count(), sshd.logins()),
        (1, 1),
        "{}",
        sshd.log()
    );
}

#[tokio::test]
async fn a_server_without_file_transfer_says_so() {
    let sshd = Sshd::start_with("Subsystem none /bin/false").await;
    let config = std::fs::read_to_string(sshd.path("sshd_config")).unwrap();
    assert!(!config.contains("sftp"), "{config}");
    let host = stage(&sshd, &pool());
    let error = within("the refusal", host.stat("/")).await.unwrap_err().to_string();
    assert_eq!(error, "web1: no access to its files: the server has no subsystem 'sftp' (sshd_config)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_leaves_the_old_file_and_the_error_says_so() {
    let sshd = Sshd::start().await;
    let host = stage(&sshd, &pool());
    let directory = sshd.path("d");
    std::fs::create_dir(&directory).unwrap();
    let target = directory.join("target");
    std::fs::write(&target, "old").unwrap();
    let mut file = host.open(&target, OpenMode::Write, &FileOptions::default()).await.unwrap();
    file.write("half").await.unwrap();
    sshd.kill_sessions();
    let failed = async {
        loop {
            if let Err(error) = file.write(vec![1; 1 << 20]).await {
                return error;
            }
        }
    };
    let RunError::File(error) = within("the end", failed).await else { panic!("no trouble with a file") };
    assert_eq!(error.fault.problem, Problem::Lost, "{error}");
    assert!(error.to_string().ends_with("; the old file is as it was"), "{error}");
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "old");
    let names: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["target"], "the temporary is removed over a new connection");
    assert_eq!(host.stat(&target).await.unwrap().unwrap().size, 3, "and the host is usable");
}
