//! How the end of a running command is told.

use std::future::Future;

use super::{Reader, Running};
use crate::host::process::Stream;
use crate::host::ssh::channel::waits::{close, why_unknown};
use crate::host::{ExitStatus, ProcessEvent};

impl Running {
    pub(super) async fn conclude(mut self) {
        if self.status.is_none() && self.end.is_some() && !self.lease.connection.is_dead() {
            let connection = &self.lease.connection;
            tracing::warn!(
                address = %connection.address,
                user = %connection.user,
                "a command that was stopped may still run: it does not end"
            );
        }
        if let Some(sweep) = self.sweep.take() {
            sweep.await;
        }
        let connection = self.lease.connection.clone();
        let begin = self.begin.take().filter(|begin| begin.is_awaited() && self.exit_told && self.all_sent);
        if let Some(begin) = begin {
            // Whoever waits for it runs the command elsewhere, and has no use for an end of it.
            begin.never_came();
            if let Some(ExitStatus::Unknown(why)) = &mut self.status {
                *why = "the helper shell ended before it began the command".into();
            }
        }
        let status = match self.status.take() {
            Some(status @ ExitStatus::Unknown(_)) => status,
            Some(status) if !self.lost || self.all_sent => status,
            Some(ended) => ExitStatus::CutOff { ended: Box::new(ended), why: connection.last_words().await },
            None => ExitStatus::Unknown(why_unknown(&connection).await),
        };
        self.finish(status).await;
    }

    /// Ends a command of which it is not known whether it was ever started.
    pub(in crate::host::ssh::channel) async fn give_up(mut self, why: String) {
        self.abandon();
        while self.step().await {}
        self.finish(ExitStatus::Unknown(why)).await;
    }

    /// Why the connection ended.
    pub(in crate::host::ssh::channel) fn last_words(&self) -> impl Future<Output = String> + Send + use<> {
        let connection = self.lease.connection.clone();
        async move { connection.last_words().await }
    }

    /// Hands over what is left, without keeping the connection from others meanwhile.
    async fn finish(mut self, status: ExitStatus) {
        if let Some(mut mark) = self.mark.take() {
            let stream = if self.terminal { Stream::Out } else { Stream::Err };
            let rest = mark.rest();
            if !rest.is_empty() {
                self.output(stream, rest);
            }
        }
        if let Some(mut marks) = self.end_marks.take() {
            for stream in [Stream::Out, Stream::Err] {
                let rest = marks.rest(stream);
                if !rest.is_empty() {
                    self.output(stream, rest);
                }
            }
        }
        let Running { lease, mut read, write, mut ring, reader: Reader { events, .. }, still_open, counted, .. } = self;
        if still_open {
            tokio::spawn(async move {
                close(&mut read, &write).await;
                drop(lease);
            });
        } else {
            drop(lease);
        }
        // It has ended; a slow reader of its last output keeps no program from ending.
        drop(counted);
        ring.mark_gap();
        while let Some(event) = ring.pop() {
            if events.send(event).await.is_err() {
                return;
            }
        }
        let _reader_gone = events.send(ProcessEvent::Exit(status)).await;
    }
}
