//! What the channel of a running command brings.

use bytes::Bytes;
use russh::ChannelMsg;
use tokio::sync::mpsc::error::TrySendError;

use super::Running;
use crate::host::end_marks::EndMarks;
use crate::host::process::Stream;
use crate::host::ssh::channel::status;
use crate::host::{ExitStatus, ProcessEvent};

impl Running {
    /// Whether the channel goes on.
    pub(super) fn take(&mut self, message: Option<ChannelMsg>) -> bool {
        self.quiet = None;
        match message {
            None => {
                self.lost = true;
                return false;
            }
            Some(ChannelMsg::Close) => return false,
            Some(ChannelMsg::Eof) => self.all_sent = true,
            Some(ChannelMsg::Data { data }) => self.printed(Stream::Out, data),
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) => self.printed(Stream::Err, data),
            Some(ChannelMsg::ExitStatus { exit_status }) => {
                self.channel_ended(status::of_code(exit_status));
            }
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                self.channel_ended(status::of_signal(&signal_name));
            }
            Some(_) => {}
        }
        self.told.is_none() || self.sweep.is_some()
    }

    /// The end of a helper is not that of its command, unless both were ended from here.
    fn channel_ended(&mut self, status: ExitStatus) {
        self.exit_told = true;
        let status = match status {
            status if self.end_marks.is_none() || self.unwanted => status,
            // The number is that of what started the helper.
            ExitStatus::Code(_) => ExitStatus::Unknown("the helper shell ended while it ran".into()),
            status => ExitStatus::Unknown(format!("the helper shell ended ({status}) while it ran")),
        };
        self.ended(status);
    }

    fn ended(&mut self, status: ExitStatus) {
        self.status.get_or_insert(status);
        if self.unwanted && self.sweep.is_none() {
            let victim = self.victim.clone();
            self.sweep = Some(Box::pin(async move { victim.sweep().await }));
        }
    }

    fn printed(&mut self, stream: Stream, bytes: Bytes) {
        let marked = if self.terminal { Stream::Out } else { Stream::Err };
        let bytes = match &mut self.mark {
            Some(mark) if stream == marked => {
                let (bytes, group) = mark.filter(bytes);
                if group.is_some() {
                    self.group.send_replace(group);
                    self.mark = None;
                }
                bytes
            }
            _ => bytes,
        };
        let bytes = match &mut self.begin {
            Some(begin) if stream == Stream::Out => begin.filter(bytes),
            _ => bytes,
        };
        let bytes = match &mut self.end_marks {
            Some(marks) => marks.filter(stream, bytes),
            None => bytes,
        };
        if !bytes.is_empty() {
            self.output(stream, bytes);
        }
        if self.told.is_none()
            && let Some(end) = self.end_marks.as_ref().and_then(EndMarks::end)
        {
            self.told = Some(end);
            self.ended(ExitStatus::Code(end.status));
        }
    }

    pub(super) fn output(&mut self, stream: Stream, bytes: Bytes) {
        if self.dropping {
            self.ring.drop_output(bytes.len());
            return;
        }
        if self.ring.is_empty() && !self.ring.has_gap() {
            let event = match stream {
                Stream::Out => ProcessEvent::Stdout(bytes),
                Stream::Err => ProcessEvent::Stderr(bytes),
            };
            // A reader that is gone is seen by the loop.
            if let Err(TrySendError::Full(ProcessEvent::Stdout(bytes) | ProcessEvent::Stderr(bytes))) =
                self.reader.events.try_send(event)
            {
                self.ring.push(stream, bytes);
            }
            return;
        }
        self.ring.push(stream, bytes);
    }
}
