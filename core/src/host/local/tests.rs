#![allow(clippy::unwrap_used)]

//! Real commands under the real `/bin/sh` of this machine.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use super::LocalHost;
use crate::host::conformance::{self, Stage};
use crate::host::{Host, HostContainer, RunError, RunIo, RunOptions};
use crate::node::{HostDef, HostKind, HostSettings};
use crate::terminal::scripted::ScriptedTerminal;
use crate::terminal::{AuxiliaryRequest, Keyboard, Kind, Size, Terminal};

fn here() -> Arc<dyn Host> {
    let settings = HostSettings { slug: "here".to_string(), ..HostSettings::default() };
    Arc::new(LocalHost::new(HostDef::new(HostKind::Local, settings)))
}

/// One test per case of [`conformance`], so that each failure has a name.
macro_rules! conforms {
    ($($case:ident)*) => {$(
        #[tokio::test]
        async fn $case() {
            conformance::$case(&here()).await;
        }
    )*};
}

conforms! {
    status_and_streams death_by_signal context_reaches_the_command odd_directories a_lot_of_output end_of_input
    keys_and_size something_left_behind cancelled hung_up ctrl_c_at_the_command dropped too_slow sandbox questions login_shell
}

/// The same for files.
macro_rules! files_conform {
    ($($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            crate::host::files::conformance::$case(&here()).await;
        }
    )*};
}

files_conform! {
    open_files replaced_in_one_step asking_about_files transfers a_sparse_giant trees interrupted_transfers
    a_full_disk files_in_a_sandbox files_as_root
}

#[tokio::test]
async fn nothing_but_the_three_streams_is_inherited() {
    for stage in [Stage::plain(&here()), Stage::tty(&here())] {
        // Opened without CLOEXEC on purpose, as a careless library would.
        let _leak = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty()).unwrap();
        let text = stage.run("exec ls -1 /proc/self/fd").await.unwrap().text().replace("\r\n", "\n");
        assert_eq!(text, "0\n1\n2\n3", "3 is the directory that ls reads");
    }
}

// rows: F-15
#[tokio::test]
async fn a_command_leads_a_session_of_its_own() {
    let tty = Stage::tty(&here());
    assert_eq!(tty.run("test $(ps -o sid= -p $$) = $$ && tty | cut -c1-9").await.unwrap().text(), "/dev/pts/");
    let plain = Stage::plain(&here());
    assert_eq!(plain.text("test $(ps -o sid= -p $$) = $$ && ps -o tty= -p $$").await, "?");
}

#[tokio::test]
async fn a_pipe_that_is_closed_ends_who_writes_into_it() {
    assert_eq!(Stage::plain(&here()).text("yes | head -n 1").await, "y");
}

/// A terminal whose other side has stopped reading.
struct Stuck(Arc<ScriptedTerminal>);

#[async_trait]
impl Terminal for Stuck {
    async fn write(&self, _: &[u8]) -> io::Result<()> {
        std::future::pending().await
    }

    fn kind(&self) -> Kind {
        self.0.kind()
    }

    fn size(&self) -> watch::Receiver<Size> {
        self.0.size()
    }

    fn term(&self) -> String {
        self.0.term()
    }

    fn interactive(&self) -> bool {
        true
    }

    fn keyboard(&self) -> Keyboard {
        self.0.keyboard()
    }

    async fn auxiliary(&self, request: AuxiliaryRequest) -> io::Result<Arc<dyn Terminal>> {
        self.0.auxiliary(request).await
    }
}

#[tokio::test]
async fn a_terminal_that_takes_nothing_neither_blocks_the_command_nor_ctrl_c() {
    let stage = Stage::tty(&here());
    let terminal: Arc<dyn Terminal> = Arc::new(Stuck(stage.terminal.clone()));
    let host = HostContainer::of(here(), RunIo { terminal, ..stage.host.io().clone() });
    let file = tempfile::NamedTempFile::new().unwrap();
    let flood = format!("head -c 200000 /dev/zero; echo done > {}; yes", file.path().display());
    let operator = async {
        while std::fs::read(file.path()).unwrap().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        stage.cancel.cancel();
    };
    let options = RunOptions::default();
    let run = conformance::within("the flood", host.run_with(&flood, &options));
    let (result, ()) = tokio::join!(run, operator);
    assert!(matches!(result, Err(RunError::Interrupted { certain: true, .. })), "{result:?}");
}
