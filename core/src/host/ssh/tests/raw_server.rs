//! A server that speaks SSH by hand, so that it can say what no library lets it say. One way of each: curve25519-sha256,
//! ssh-ed25519, aes256-gcm.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::hostile::{GREETING, good_kexinit, packet, string};

/// One connection on which keys are agreed on.
pub(super) struct Raw {
    stream: BufReader<TcpStream>,
    from_client: Sealed,
    to_client: Sealed,
}

/// One direction.
struct Sealed {
    key: LessSafeKey,
    nonce: [u8; 12],
}

impl Sealed {
    fn new(key: &[u8], nonce: &[u8]) -> Sealed {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
        Sealed { key, nonce: nonce[..12].try_into().unwrap() }
    }

    fn next(&mut self) -> Nonce {
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let counter = u64::from_be_bytes(self.nonce[4..].try_into().unwrap()).wrapping_add(1);
        self.nonce[4..].copy_from_slice(&counter.to_be_bytes());
        nonce
    }
}

/// A number as it goes into hashes: no zeros in front, but one where the first bit is set.
fn mpint(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let sign: &[u8] = if bytes.get(start).is_some_and(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
    string(&[sign, &bytes[start..]].concat())
}

impl Raw {
    /// Greets and agrees on keys. `None`: the client went away.
    pub(super) async fn shake_hands(stream: TcpStream) -> Option<Raw> {
        let mut stream = BufReader::new(stream);
        stream.write_all(GREETING).await.ok()?;
        let mut greeting = Vec::new();
        stream.read_until(b'\n', &mut greeting).await.ok()?;
        let ours = good_kexinit();
        stream.write_all(&ours).await.ok()?;
        let theirs = plain(&mut stream).await?;
        let init = plain(&mut stream).await?;
        let client_point = init.get(5..37)?.to_vec();
        let random = SystemRandom::new();
        let private = EphemeralPrivateKey::generate(&X25519, &random).unwrap();
        let server_point = private.compute_public_key().unwrap().as_ref().to_vec();
        let shared = agree_ephemeral(private, &UnparsedPublicKey::new(&X25519, &client_point), <[u8]>::to_vec).ok()?;
        let host = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let host_key = [string(b"ssh-ed25519"), string(host.public_key().as_ref())].concat();
        let padding = usize::from(ours[4]);
        let hashed = [
            string(greeting.trim_ascii_end()),
            string(GREETING.trim_ascii_end()),
            string(&theirs),
            string(&ours[5..ours.len() - padding]),
            string(&host_key),
            string(&client_point),
            string(&server_point),
            mpint(&shared),
        ]
        .concat();
        let hash = digest(&SHA256, &hashed);
        let signature = [string(b"ssh-ed25519"), string(host.sign(hash.as_ref()).as_ref())].concat();
        let reply = [&[31][..], &string(&host_key), &string(&server_point), &string(&signature)].concat();
        stream.write_all(&[packet(&reply), packet(&[21])].concat()).await.ok()?;
        // The client's own "new keys".
        plain(&mut stream).await?;
        let derive = |letter: u8| {
            let text = [&mpint(&shared)[..], hash.as_ref(), &[letter], hash.as_ref()].concat();
            digest(&SHA256, &text).as_ref().to_vec()
        };
        let from_client = Sealed::new(&derive(b'C'), &derive(b'A'));
        let to_client = Sealed::new(&derive(b'D'), &derive(b'B'));
        Some(Raw { stream, from_client, to_client })
    }

    /// Sends one message. `None`: the client went away.
    pub(super) async fn send(&mut self, payload: &[u8]) -> Option<()> {
        let padding = 16 + (16 - (payload.len() + 1) % 16) % 16;
        let mut body = vec![u8::try_from(padding).unwrap()];
        body.extend_from_slice(payload);
        body.resize(body.len() + padding, 0);
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        let nonce = self.to_client.next();
        self.to_client.key.seal_in_place_append_tag(nonce, Aad::from(length), &mut body).unwrap();
        self.stream.write_all(&[&length[..], &body].concat()).await.ok()
    }

    /// The next message. `None`: the client went away.
    pub(super) async fn receive(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).await.ok()?;
        let mut body = vec![0; u32::from_be_bytes(length) as usize + 16];
        self.stream.read_exact(&mut body).await.ok()?;
        let nonce = self.from_client.next();
        let opened = self.from_client.key.open_in_place(nonce, Aad::from(length), &mut body).ok()?;
        let padding = usize::from(opened[0]);
        Some(opened[1..opened.len() - padding].to_vec())
    }

    /// Says nothing more, closes the line, and waits until the client has gone too, so that all it was sent arrives.
    pub(super) async fn hang_up(&mut self) -> Option<()> {
        self.stream.shutdown().await.ok()?;
        while !matches!(self.stream.read(&mut [0; 4096]).await, Ok(0) | Err(_)) {}
        None
    }

    /// Lets the client in, whatever it shows. `None`: it went away.
    pub(super) async fn let_in(&mut self) -> Option<()> {
        loop {
            match self.receive().await?.first() {
                Some(5) => self.send(&[&[6][..], &string(b"ssh-userauth")].concat()).await?,
                Some(50) => return self.send(&[52]).await,
                _ => {}
            }
        }
    }
}

/// The payload of the next packet before keys are agreed on.
async fn plain(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await.ok()?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut body).await.ok()?;
    let padding = usize::from(*body.first()?);
    body.get(1..body.len().checked_sub(padding)?).map(<[u8]>::to_vec)
}
