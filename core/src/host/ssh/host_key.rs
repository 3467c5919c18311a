//! Whether a server is who it says it is: what happens with known, new, changed and revoked keys.

use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::{Algorithm, Certificate, PublicKey, ssh_key};

use super::certificate;
use super::failure::Failure;
use super::known_hosts::{self, Authority, KnownHosts, KnownKey, Place, Verdict};
use super::krl;
use super::questions::Questions;
use super::target::{HostKeys, Target, Trust};
use crate::host::{NoAnswer, QuestionKind};
use crate::text::shell_word;

/// What to do about what is revoked.
const KEY_GONE: &str = "whoever holds this key may be an impostor; the host needs a new one";
const CERTIFICATE_GONE: &str = "whoever holds this key may be an impostor; the host needs a new key and certificate";

/// What an inspector found, for those outside russh.
#[derive(Clone, Debug)]
pub(super) enum Finding {
    /// A key nobody knows yet; a person has to decide. The connection is closed meanwhile: servers cut off whoever
    /// does not log in soon, and a person may take all day.
    New(Stranger),
    /// The server must not be talked to.
    Refused(Failure),
}

/// A host whose key nobody knows yet.
#[derive(Clone, Debug)]
pub(super) struct Stranger {
    pub(super) key: PublicKey,
    /// Why its certificate does not count, if it showed one.
    doubt: Option<Doubt>,
}

/// Why a certificate does not count.
#[derive(Clone, Debug)]
struct Doubt {
    /// A sentence without its full stop.
    reason: String,
    hint: String,
    /// Its authority is trusted, so the host should have a good one.
    vouched: bool,
}

/// Judges the key of one server, during one attempt to connect.
pub(super) struct Inspector {
    known: KnownHosts,
    trust: Trust,
    /// The key a person accepted a moment ago.
    accepted: Option<PublicKey>,
    finding: Arc<Mutex<Option<Finding>>>,
}

impl Inspector {
    pub(super) fn new(known: KnownHosts, trust: Trust, accepted: Option<PublicKey>) -> Inspector {
        Inspector { known, trust, accepted, finding: Arc::default() }
    }

    /// Where to look for what was found.
    pub(super) fn finding(&self) -> Arc<Mutex<Option<Finding>>> {
        self.finding.clone()
    }

    /// Whether the key is good.
    pub(super) async fn examine(&self, key: &PublicKey) -> bool {
        let judged = match self.pass_lists(key.to_openssh(), || named(key), KEY_GONE).await {
            Ok(()) => self.judge(key, None).await,
            revoked => revoked,
        };
        self.note(judged)
    }

    /// Whether the certificate is good, or else the key in it, as if the host had shown only that.
    pub(super) async fn examine_certificate(&self, shown: &Certificate) -> bool {
        let said = || format!("the {}, or its authority,", certificate::describe(shown));
        let judged = match self.pass_lists(shown.to_openssh(), said, CERTIFICATE_GONE).await {
            Ok(()) => self.judge_certificate(shown).await,
            revoked => revoked,
        };
        self.note(judged)
    }

    async fn judge_certificate(&self, shown: &Certificate) -> Result<(), Finding> {
        let doubt = match self.vouch(shown) {
            Ok(()) => return Ok(()),
            Err(Objection::Refused(failure)) => return Err(Finding::Refused(failure)),
            Err(Objection::Doubt(doubt)) => Some(doubt),
            Err(Objection::Nobody) => None,
        };
        self.judge(&PublicKey::new(shown.public_key().clone(), ""), doubt).await
    }

    /// Whether no key revocation list has what the host shows, which is given as text and in words.
    async fn pass_lists(
        &self,
        shown: ssh_key::Result<String>,
        said: impl Fn() -> String,
        hint: &str,
    ) -> Result<(), Finding> {
        let lists = self.known.lists();
        if lists.is_empty() {
            return Ok(());
        }
        let revoking = match shown {
            Ok(shown) => krl::revoking(lists, &shown).await,
            Err(error) => Err(Failure::new(format!("RevokedHostKeys: {} is strange: {error}", said()))),
        };
        match revoking {
            Ok(None) => Ok(()),
            Ok(Some(list)) => {
                let why = format!("host key: {} is revoked by {}", said(), list.display());
                Err(Finding::Refused(Failure::new(why).hint(hint)))
            }
            Err(failure) => Err(Finding::Refused(failure)),
        }
    }

    fn note(&self, judged: Result<(), Finding>) -> bool {
        let Err(finding) = judged else { return true };
        *self.finding.lock().unwrap_or_else(PoisonError::into_inner) = Some(finding);
        false
    }

    /// Whether an authority on file vouches for the host with this certificate.
    fn vouch(&self, shown: &Certificate) -> Result<(), Objection> {
        let (name, port) = (&self.trust.name, self.trust.port);
        let said = certificate::describe(shown);
        match self.known.authority(name, port, shown) {
            Authority::Trusted => certificate::check_host(shown, name, certificate::now(), &self.trust.authorities).map_err(|why| {
                Objection::Doubt(Doubt {
                    reason: format!("the {said} is not good: {why}"),
                    hint: format!(
                        "ask whoever holds the authority for a new one: ssh-keygen -s AUTHORITY -h -I {0} -n {0} KEY.pub on the host",
                        shell_word(name)
                    ),
                    vouched: true,
                })
            }),
            Authority::Revoked(place) => Err(Objection::Refused(
                Failure::new(format!(
                    "host key: the {said}, or its authority, is revoked by {}:{}",
                    place.file.display(),
                    place.line
                ))
                .hint(CERTIFICATE_GONE),
            )),
            Authority::Unknown(None) => Err(Objection::Nobody),
            Authority::Unknown(Some(known)) => {
                let (file, line) = (known.place.file.display(), known.place.line);
                let on_file = format!("{file}:{line} trusts {} {}", kind(&known.algorithm), known.fingerprint);
                Err(Objection::Doubt(Doubt {
                    reason: format!("it shows a {said}, but {on_file}"),
                    hint: "if the authority was really replaced, add a @cert-authority line with the new one".into(),
                    vouched: false,
                }))
            }
        }
    }

    async fn judge(&self, key: &PublicKey, doubt: Option<Doubt>) -> Result<(), Finding> {
        match self.known.check(&self.trust.name, self.trust.port, key) {
            Verdict::Known => Ok(()),
            Verdict::Revoked(place) => Err(Finding::Refused(revoked(key, &place))),
            Verdict::Changed(other) => Err(Finding::Refused(changed(key, &other))),
            Verdict::Unknown if self.accepted.as_ref().is_some_and(|yes| yes.key_data() == key.key_data()) => Ok(()),
            Verdict::Unknown => {
                // A host that has a trusted authority and no good certificate is not simply new.
                let suspect = doubt.as_ref().is_some_and(|doubt| doubt.vouched);
                let stranger = Stranger { key: key.clone(), doubt };
                match self.trust.policy {
                    HostKeys::Ask => Err(Finding::New(stranger)),
                    HostKeys::AcceptNew if !suspect => remember(&self.trust, key).await.map_err(Finding::Refused),
                    HostKeys::AcceptNew | HostKeys::Strict => Err(Finding::Refused(unknown(&self.trust, &stranger))),
                }
            }
        }
    }
}

/// Why a certificate was not enough.
enum Objection {
    Refused(Failure),
    Doubt(Doubt),
    /// No authority is on file for the host: only the key counts.
    Nobody,
}

/// Asks a person whether a new key is right, and remembers it.
///
/// # Errors
/// The answer was no, nobody is there, or the key could not be remembered.
pub(super) async fn ask(target: &Target, questions: &Questions, stranger: &Stranger) -> Result<(), Failure> {
    let key = &stranger.key;
    let doubt = stranger.doubt.as_ref().map(|doubt| format!("\nAbout its certificate: {}.", doubt.reason));
    let notice = format!(
        "The authenticity of host '{}' can't be established.\n{} key fingerprint is {}.{}",
        known_hosts::name(&target.address, target.port),
        kind(&key.algorithm()),
        known_hosts::fingerprint(key),
        doubt.unwrap_or_default(),
    );
    let prompt = "Are you sure you want to continue connecting (yes/no)".to_string();
    match questions.ask(notice, prompt, QuestionKind::Confirm).await {
        Ok(answer) if answer.is_yes() => remember(&target.trust, key).await,
        Ok(_) => Err(Failure::new("host key: it was not accepted")),
        Err(why @ NoAnswer::NobodyThere) => Err(unknown(&target.trust, stranger).unanswered(why)),
        Err(why @ NoAnswer::Cancelled) => Err(Failure::new(format!("host key: {why}")).unanswered(why)),
    }
}

async fn remember(trust: &Trust, key: &PublicKey) -> Result<(), Failure> {
    let Some(file) = trust.files.first().cloned() else {
        return Err(Failure::new("host key: there is no known-hosts file to remember it in")
            .hint("set known_hosts of the host"));
    };
    let (name, port, key) = (trust.name.clone(), trust.port, key.clone());
    let shown = file.display().to_string();
    let written = tokio::task::spawn_blocking(move || known_hosts::append(&file, &name, port, &key)).await;
    let why = match written {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(stopped) => stopped.to_string(),
    };
    Err(Failure::new(format!("host key: cannot remember it in {shown}: {why}"))
        .hint(format!("make {shown} writable, or set known_hosts of the host")))
}

fn unknown(trust: &Trust, stranger: &Stranger) -> Failure {
    let (name, key) = (known_hosts::name(&trust.name, trust.port), &stranger.key);
    if let Some(doubt) = &stranger.doubt {
        let reason = match doubt.vouched {
            true => format!("host key: {}", doubt.reason),
            false => format!("host key: {name} is not known; {}", doubt.reason),
        };
        return Failure::new(reason).hint(doubt.hint.clone());
    }
    let reason =
        format!("host key: {name} is not known, it shows {} {}", kind(&key.algorithm()), known_hosts::fingerprint(key));
    let file = trust.files.first().map(|file| file.display().to_string()).unwrap_or_default();
    Failure::new(reason).hint(format!(
        "compare the fingerprint, then add the key: ssh-keyscan -p {} {} >> {}",
        trust.port,
        shell_word(&trust.name),
        shell_word(&file)
    ))
}

fn changed(key: &PublicKey, other: &KnownKey) -> Failure {
    let (file, line) = (other.place.file.display().to_string(), other.place.line);
    let reason = format!(
        "host key: it has changed. {} now shows {} {}, but {file}:{line} says {} {}",
        other.name,
        kind(&key.algorithm()),
        known_hosts::fingerprint(key),
        kind(&other.algorithm),
        other.fingerprint,
    );
    Failure::new(reason).hint(format!(
        "somebody may be listening in. If the host was really rebuilt: ssh-keygen -f {} -R {}",
        shell_word(&file),
        shell_quoted(&other.name)
    ))
}

fn revoked(key: &PublicKey, place: &Place) -> Failure {
    let (file, line) = (place.file.display(), place.line);
    Failure::new(format!("host key: {} is revoked by {file}:{line}", named(key))).hint(KEY_GONE)
}

fn named(key: &PublicKey) -> String {
    format!("{} {}", kind(&key.algorithm()), known_hosts::fingerprint(key))
}

/// A name as `ssh-keygen -R` wants it; brackets are wildcards to a shell.
fn shell_quoted(name: &str) -> String {
    if name.starts_with('[') { format!("'{name}'") } else { shell_word(name) }
}

/// How OpenSSH names kinds of keys to people.
pub(super) fn kind(algorithm: &Algorithm) -> String {
    match algorithm {
        Algorithm::Ed25519 => "ED25519".into(),
        Algorithm::Ecdsa { .. } => "ECDSA".into(),
        Algorithm::Rsa { .. } => "RSA".into(),
        Algorithm::Dsa => "DSA".into(),
        Algorithm::SkEd25519 => "ED25519-SK".into(),
        Algorithm::SkEcdsaSha2NistP256 => "ECDSA-SK".into(),
        other => other.as_str().to_string(),
    }
}
