//! The mark that a helper prints before it starts a command: without it, a helper that has ended never began.
//!
//! The helper writes the mark before it does anything of the command, and does nothing of it when that fails. So a
//! helper whose end the server has told, after all that it had printed, has not begun what it printed no mark for. When
//! the connection is lost, a mark that was written may be lost with it, and nothing is known.

use std::time::Duration;

use bstr::ByteSlice;
use bytes::{Bytes, BytesMut};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::host::Process;

/// Finds the mark of one command and takes it out of the output.
pub(in crate::host::ssh) struct Begin {
    mark: Vec<u8>,
    /// The beginning of what may be the mark.
    held: BytesMut,
    /// Who waits for it; nobody once it was found.
    tell: Option<oneshot::Sender<bool>>,
}

/// For whoever gave the command.
pub(super) struct Begun(oneshot::Receiver<bool>);

impl Begin {
    /// The mark of a command, and how to wait for it.
    pub(super) fn new(token: &str, number: &str) -> (Begin, Begun) {
        let (tell, told) = oneshot::channel();
        let mark = format!("\x1b_deployer:{token}:begin:{number}\x1b\\").into_bytes();
        (Begin { mark, held: BytesMut::new(), tell: Some(tell) }, Begun(told))
    }

    /// Takes what the helper printed and gives what is of the command: what comes before the mark is not.
    pub(in crate::host::ssh) fn filter(&mut self, bytes: Bytes) -> Bytes {
        if self.tell.is_none() {
            return bytes;
        }
        self.held.extend_from_slice(&bytes);
        match self.held.find(&self.mark) {
            Some(at) => {
                self.say(true);
                let rest = self.held.split_off(at + self.mark.len());
                self.held.clear();
                rest.freeze()
            }
            None => {
                let useless = self.held.len().saturating_sub(self.mark.len() - 1);
                drop(self.held.split_to(useless));
                Bytes::new()
            }
        }
    }

    /// Whether the mark has not come.
    pub(in crate::host::ssh) fn is_awaited(&self) -> bool {
        self.tell.is_some()
    }

    /// It will not come: the command never began.
    pub(in crate::host::ssh) fn never_came(mut self) {
        self.say(false);
    }

    fn say(&mut self, begun: bool) {
        if let Some(tell) = self.tell.take() {
            // Who waits no more has the command, and hears of it there.
            let _waits_no_more = tell.send(begun);
        }
    }
}

impl Begun {
    /// Waits until the command has begun, or may have: for no longer than `limit`, and not when it is called off. `None`:
    /// it never will, and can be run elsewhere.
    pub(super) async fn wait(
        mut self,
        process: Process,
        limit: Duration,
        cancel: &CancellationToken,
    ) -> Option<Process> {
        let begun = tokio::select! {
            biased;
            begun = &mut self.0 => begun.unwrap_or(true),
            () = cancel.cancelled() => self.so_far(),
            () = tokio::time::sleep(limit) => self.so_far(),
        };
        begun.then_some(process)
    }

    /// What is known now. Later nobody is told.
    fn so_far(&mut self) -> bool {
        self.0.close();
        self.0.try_recv().unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ProcessControl;

    const MARK: &[u8] = b"\x1b_deployer:00ff:begin:7\x1b\\";

    fn process() -> Process {
        let (_, events) = tokio::sync::mpsc::channel(1);
        Process { events, control: ProcessControl::channel().0 }
    }

    fn fed(output: &[u8], size: usize) -> (Vec<u8>, bool) {
        let (mut begin, _begun) = Begin::new("00ff", "7");
        let pieces = output.chunks(size).map(|piece| begin.filter(Bytes::copy_from_slice(piece)));
        (pieces.flatten().collect(), begin.is_awaited())
    }

    #[test]
    fn what_comes_before_the_mark_is_not_of_the_command_however_it_is_cut() {
        for size in 1..60 {
            for before in [&b""[..], b"\x1b_deployer:00ff:begin:6\x1b\\ noise", &MARK[..20], &[b'x'; 500]] {
                let output = [before, MARK, b"\x00out", MARK, b"\x1b_depl"].concat();
                let (text, awaited) = fed(&output, size);
                assert_eq!(text, [&b"\x00out"[..], MARK, b"\x1b_depl"].concat(), "in pieces of {size}");
                assert!(!awaited);
            }
            assert_eq!(fed(&[&[b'x'; 500], &MARK[..MARK.len() - 1]].concat(), size), (Vec::new(), true));
        }
    }

    #[test]
    fn output_without_a_mark_takes_no_memory() {
        let (mut begin, _begun) = Begin::new("00ff", "7");
        for _ in 0..100 {
            begin.filter(Bytes::from(vec![0x1b; 32 * 1024]));
            assert!(begin.held.len() < MARK.len(), "{}", begin.held.len());
        }
    }

    async fn given_back(begun: Begun, cancel: &CancellationToken) -> bool {
        begun.wait(process(), Duration::from_secs(60), cancel).await.is_none()
    }

    #[tokio::test]
    async fn only_a_command_that_never_began_is_given_back() {
        let cancel = CancellationToken::new();
        let (mut begin, begun) = Begin::new("00ff", "7");
        begin.filter(Bytes::from_static(MARK));
        assert!(!begin.is_awaited());
        begin.never_came();
        assert!(!given_back(begun, &cancel).await);

        let (begin, begun) = Begin::new("00ff", "7");
        begin.never_came();
        assert!(given_back(begun, &cancel).await);

        // Nobody knows.
        let (begin, begun) = Begin::new("00ff", "7");
        drop(begin);
        assert!(!given_back(begun, &cancel).await);
    }

    #[tokio::test(start_paused = true)]
    async fn who_calls_it_off_or_has_waited_long_enough_has_the_command() {
        let cancel = CancellationToken::new();
        let (begin, begun) = Begin::new("00ff", "7");
        assert!(!given_back(begun, &cancel).await, "the limit has passed");
        begin.never_came();

        cancel.cancel();
        let (_begin, begun) = Begin::new("00ff", "7");
        assert!(!given_back(begun, &cancel).await, "it was called off");
        // What is known by then counts.
        let (begin, begun) = Begin::new("00ff", "7");
        begin.never_came();
        assert!(given_back(begun, &cancel).await);
    }
}
