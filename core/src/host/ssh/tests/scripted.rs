//! A server in the test process that does what no sshd does: asks odd questions, hangs up, lies, freezes.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::{Algorithm, PrivateKey};
use russh::server::{Auth, Config, Handler, Msg, PublicKeyOffer, Response, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, Error, MethodKind, MethodSet, Preferred, Sig, cipher, kex, mac};
use tempfile::TempDir;

use crate::node::{HostKeyPolicy, HostSettings};

/// Questions of one round of a dialogue; whether the answers are shown.
pub(super) type Round = &'static [(&'static str, bool)];

/// What the server does.
#[derive(Clone, Default)]
pub(super) struct Rules {
    /// What is allowed at first.
    pub(super) methods: Vec<MethodKind>,
    pub(super) banner: Option<&'static str>,
    /// The right password.
    pub(super) password: Option<&'static str>,
    /// Allowed after a password or key was right; nothing: that is enough.
    pub(super) then: Vec<MethodKind>,
    /// The rounds of a dialogue and the right answers of all of them.
    pub(super) rounds: Vec<Round>,
    pub(super) answers: Vec<&'static str>,
    /// The first so many connections end when a password arrives.
    pub(super) hangs_up: usize,
    /// A dialogue begins anew when it is over.
    pub(super) endless: bool,
    /// A password is never answered.
    pub(super) deaf: bool,
    /// Offers one algorithm of each kind, so that the handshake has few bytes.
    pub(super) short: bool,
}

/// What happened.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) connections: usize,
    pub(super) passwords: Vec<String>,
    pub(super) answers: Vec<String>,
    /// Commands, answered or not.
    pub(super) commands: usize,
    /// What became of a channel the server tried to open.
    pub(super) opened: Option<bool>,
}

/// The server; it ends with the test.
pub(super) struct Scripted {
    directory: TempDir,
    pub(super) port: u16,
    seen: Arc<Mutex<Seen>>,
}

impl Scripted {
    pub(super) async fn start(rules: Rules) -> Scripted {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let port = listener.local_addr().expect("address").port();
        let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).expect("key");
        let config = Arc::new(Config {
            keys: vec![key],
            auth_rejection_time: Duration::ZERO,
            auth_rejection_time_initial: Some(Duration::ZERO),
            methods: MethodSet::from(&rules.methods[..]),
            preferred: if rules.short { short() } else { Preferred::DEFAULT },
            ..Config::default()
        });
        let seen = Arc::new(Mutex::new(Seen::default()));
        let told = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                told.lock().expect("seen").connections += 1;
                let one = Connection { rules: rules.clone(), seen: told.clone(), round: 0, proofs: 0 };
                let config = config.clone();
                tokio::spawn(async move {
                    if let Ok(session) = russh::server::run_stream(config, stream, one).await {
                        let _ended_somehow = session.await;
                    }
                });
            }
        });
        Scripted { directory: tempfile::tempdir().expect("directory"), port, seen }
    }

    pub(super) fn settings(&self) -> HostSettings {
        HostSettings {
            slug: "odd".into(),
            address: Some("127.0.0.1".into()),
            port: Some(self.port),
            username: Some("anna".into()),
            known_hosts: Some(vec![self.directory.path().join("known_hosts").display().to_string()]),
            host_keys: Some(HostKeyPolicy::AcceptNew),
            config_filename: Some("/dev/null".into()),
            ..HostSettings::default()
        }
    }

    pub(super) fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().expect("seen"))
    }
}

fn short() -> Preferred {
    Preferred {
        kex: Cow::Borrowed(&[kex::CURVE25519]),
        key: Cow::Borrowed(&[Algorithm::Ed25519]),
        cipher: Cow::Borrowed(&[cipher::AES_256_GCM]),
        mac: Cow::Borrowed(&[mac::HMAC_SHA256]),
        ..Preferred::DEFAULT
    }
}

/// One connection.
struct Connection {
    rules: Rules,
    seen: Arc<Mutex<Seen>>,
    round: usize,
    /// How many proofs were right.
    proofs: usize,
}

impl Connection {
    fn right(&mut self) -> Auth {
        self.proofs += 1;
        match self.rules.then.is_empty() || self.proofs > 1 {
            true => Auth::Accept,
            false => Auth::Reject {
                proceed_with_methods: Some(MethodSet::from(&self.rules.then[..])),
                partial_success: true,
            },
        }
    }

    /// Wrong, but it may be tried again: russh's own servers allow each way once.
    fn wrong(&self) -> Auth {
        let methods = if self.proofs == 0 { &self.rules.methods } else { &self.rules.then };
        Auth::Reject { proceed_with_methods: Some(MethodSet::from(&methods[..])), partial_success: false }
    }

    fn ask(&self) -> Auth {
        let prompts = self.rules.rounds[self.round].iter().map(|(prompt, echo)| (Cow::Borrowed(*prompt), *echo));
        Auth::Partial { name: "".into(), instructions: "Please.".into(), prompts: prompts.collect() }
    }
}

impl Handler for Connection {
    type Error = Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, Error> {
        Ok(self.rules.banner.map(str::to_string))
    }

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, Error> {
        let (count, hangs_up) = {
            let mut seen = self.seen.lock().expect("seen");
            seen.passwords.push(password.to_string());
            (seen.connections, self.rules.hangs_up)
        };
        if self.rules.deaf {
            return std::future::pending().await;
        }
        if count <= hangs_up {
            return Err(Error::Disconnect);
        }
        Ok(if self.rules.password == Some(password) { self.right() } else { self.wrong() })
    }

    async fn auth_publickey_offered(&mut self, _: &str, _: PublicKeyOffer<'_>) -> Result<Auth, Error> {
        Ok(Auth::Accept)
    }

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, Error> {
        Ok(self.right())
    }

    async fn auth_keyboard_interactive(
        &mut self,
        _: &str,
        _: &str,
        response: Option<Response<'_>>,
    ) -> Result<Auth, Error> {
        let Some(response) = response else {
            self.round = 0;
            self.seen.lock().expect("seen").answers.clear();
            return Ok(self.ask());
        };
        let answers: Vec<String> = response.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
        let all = {
            let mut seen = self.seen.lock().expect("seen");
            seen.answers.extend(answers);
            seen.answers.clone()
        };
        self.round += 1;
        if self.rules.endless {
            self.round = 0;
        }
        if self.round < self.rules.rounds.len() {
            return Ok(self.ask());
        }
        Ok(if all == self.rules.answers { self.right() } else { self.wrong() })
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: russh::server::ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, line: &[u8], session: &mut Session) -> Result<(), Error> {
        let line = String::from_utf8_lossy(line);
        self.seen.lock().expect("seen").commands += 1;
        if line.contains("no answer") {
            return Ok(());
        }
        if line.contains("refuse") {
            return session.channel_failure(id);
        }
        session.channel_success(id)?;
        if line.contains("freeze") {
            return std::future::pending().await;
        }
        if line.contains("open a channel") {
            let (handle, seen) = (session.handle(), self.seen.clone());
            tokio::spawn(async move {
                let opened = handle.channel_open_session().await.is_ok();
                seen.lock().expect("seen").opened = Some(opened);
            });
            return Ok(());
        }
        if line.contains("status first") {
            session.exit_status_request(id, 3)?;
        }
        session.data(id, &b"output"[..])?;
        if line.contains("huge status") {
            session.exit_status_request(id, 1 << 31)?;
        }
        if line.contains("status 256") {
            session.exit_status_request(id, 256)?;
        }
        if line.contains("odd signal") {
            session.exit_signal_request(id, Sig::Custom("\x1b[2JEVIL\nAND VERY LONG".into()), false, "", "")?;
        }
        session.eof(id)?;
        session.close(id)
    }
}
