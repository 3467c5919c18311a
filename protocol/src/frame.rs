//! Length-delimited frames, decoded without input or output.

use std::io;
use std::marker::PhantomData;

use bytes::{Buf, BufMut, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use crate::message::{FromClient, FromDaemon};

/// Longest frame either side accepts or sends, number included: 1 MiB. Terminal bytes are cut into far smaller ones.
pub const MAX_FRAME: usize = 1024 * 1024;

/// Bytes of the length field.
const LENGTH: usize = 4;

/// Bytes of the message number.
const NUMBER: usize = 2;

/// Memory made ready at once for a frame that is on its way.
const RESERVE: usize = 16 * 1024;

/// A peer that does not keep to the protocol, or a connection that broke.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The length field is out of bounds. Nothing was allocated for it.
    #[error(
        "a frame of {0} bytes is too short or too long: between 2 and {MAX_FRAME} are allowed, fewer before the hello"
    )]
    Length(u64),
    /// The body of a message is not what its number says.
    #[error("message {number}: {reason}")]
    Body {
        /// Number of the message.
        number: u16,
        /// What the decoder said.
        reason: String,
    },
    /// A message of our own that cannot be sent.
    #[error("cannot encode a message: {0}")]
    Encode(String),
    /// The connection ended within a frame.
    #[error("the connection ended within a frame ({0} bytes of it had arrived)")]
    Truncated(usize),
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// One direction's messages.
pub trait Message: Sized {
    #[doc(hidden)]
    fn number(&self) -> u16;
    #[doc(hidden)]
    fn encode_body(&self, out: &mut BytesMut) -> Result<(), FrameError>;
    #[doc(hidden)]
    fn decode_body(number: u16, bytes: &[u8]) -> Result<Self, FrameError>;
}

macro_rules! message {
    ($name:ident) => {
        impl Message for $name {
            fn number(&self) -> u16 {
                $name::number(self)
            }
            fn encode_body(&self, out: &mut BytesMut) -> Result<(), FrameError> {
                $name::encode_body(self, out)
            }
            fn decode_body(number: u16, bytes: &[u8]) -> Result<Self, FrameError> {
                $name::decode_body(number, bytes)
            }
        }
    };
}

message!(FromClient);
message!(FromDaemon);

/// Reads `In` and writes `Out`; a client has `FrameCodec<FromDaemon, FromClient>`, the daemon the reverse.
#[derive(Debug)]
pub struct FrameCodec<In, Out> {
    max_frame: usize,
    direction: PhantomData<fn(Out) -> In>,
}

impl<In, Out> FrameCodec<In, Out> {
    /// Accepts frames up to this many bytes, at most [`MAX_FRAME`]: fewer before the peer has said hello.
    pub fn set_max_frame(&mut self, bytes: usize) {
        self.max_frame = bytes.min(MAX_FRAME);
    }
}

impl<In, Out> Default for FrameCodec<In, Out> {
    fn default() -> Self {
        FrameCodec { max_frame: MAX_FRAME, direction: PhantomData }
    }
}

impl<In: Message, Out> Decoder for FrameCodec<In, Out> {
    type Item = In;
    type Error = FrameError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<In>, FrameError> {
        let Some(header) = src.first_chunk::<LENGTH>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*header) as usize;
        if !(NUMBER..=self.max_frame).contains(&length) {
            return Err(FrameError::Length(length as u64));
        }
        if src.len() < LENGTH + length {
            // Memory follows what has arrived, not what was announced.
            src.reserve((LENGTH + length - src.len()).min(RESERVE));
            return Ok(None);
        }
        src.advance(LENGTH);
        let mut frame = src.split_to(length);
        let number = frame.get_u16();
        In::decode_body(number, &frame).map(Some)
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<In>, FrameError> {
        match self.decode(src)? {
            Some(message) => Ok(Some(message)),
            None if src.is_empty() => Ok(None),
            None => Err(FrameError::Truncated(src.len())),
        }
    }
}

impl<In, Out: Message> Encoder<Out> for FrameCodec<In, Out> {
    type Error = FrameError;

    fn encode(&mut self, message: Out, dst: &mut BytesMut) -> Result<(), FrameError> {
        let start = dst.len();
        dst.put_u32(0);
        dst.put_u16(message.number());
        let encoded = message.encode_body(dst);
        let length = dst.len() - start - LENGTH;
        let problem = match encoded {
            Ok(()) if length > MAX_FRAME => Some(FrameError::Length(length as u64)),
            Ok(()) => None,
            Err(error) => Some(error),
        };
        if let Some(error) = problem {
            dst.truncate(start);
            return Err(error);
        }
        dst[start..start + LENGTH].copy_from_slice(&(length as u32).to_be_bytes());
        Ok(())
    }
}
