//! Whatever a client sends: decoding it never panics, never grows beyond what arrived, and what was understood survives
//! being sent again. Run with `cargo +nightly fuzz run from_client` in `protocol/`.
#![no_main]

use bytes::BytesMut;
use deployer_protocol::{FrameCodec, FromClient, FromDaemon};
use libfuzzer_sys::fuzz_target;
use tokio_util::codec::{Decoder, Encoder};

fuzz_target!(|data: &[u8]| {
    let mut bytes = BytesMut::from(data);
    let mut here = FrameCodec::<FromClient, FromDaemon>::default();
    let mut there = FrameCodec::<FromDaemon, FromClient>::default();
    while let Ok(Some(message)) = here.decode(&mut bytes) {
        let mut again = BytesMut::new();
        there.encode(message.clone(), &mut again).expect("a message that arrived can be sent");
        assert_eq!(here.decode(&mut again).expect("and arrives again"), Some(message));
    }
    let _either = here.decode_eof(&mut bytes);
});
