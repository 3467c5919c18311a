//! The one place that knows bincode (docs/decisions: bincode).

use bincode::Options;
use bytes::{BufMut, BytesMut};
use serde::{Serialize, de::DeserializeOwned};

use crate::frame::{FrameError, MAX_FRAME};

/// Varint, little endian, trailing bytes rejected, nothing longer than a frame: a hostile length cannot make the
/// decoder allocate more than the frame that carried it could hold.
fn options() -> impl Options {
    bincode::DefaultOptions::new().with_limit(MAX_FRAME as u64)
}

pub(crate) fn encode<T: Serialize>(value: &T, out: &mut BytesMut) -> Result<(), FrameError> {
    options().serialize_into(out.writer(), value).map_err(|error| FrameError::Encode(error.to_string()))
}

pub(crate) fn decode<T: DeserializeOwned>(number: u16, bytes: &[u8]) -> Result<T, FrameError> {
    options().deserialize(bytes).map_err(|error| FrameError::Body { number, reason: error.to_string() })
}
