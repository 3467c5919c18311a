//! What is said when a server and we have no algorithm in common.

use russh::{AlgorithmKind, Error};

use super::{Algorithms, cipher_names, kex_names, key_names, mac_names};
use crate::host::ssh::failure::{Failure, printable};

/// How many characters of a server's list are shown.
const SHOWN: usize = 600;

/// The failure, if this error is a disagreement: both lists, and what to write into the configuration.
pub(in crate::host::ssh) fn disagreement(error: &Error, algorithms: &Algorithms) -> Option<Failure> {
    let Error::NoCommonAlgo { kind, ours, theirs } = error else { return None };
    let (what, keyword, all) = match kind {
        AlgorithmKind::Kex => ("key exchange", "KexAlgorithms", kex_names()),
        AlgorithmKind::Key => ("host key", "HostKeyAlgorithms", key_names()),
        AlgorithmKind::Cipher => ("cipher", "Ciphers", cipher_names()),
        AlgorithmKind::Mac => ("MAC", "MACs", mac_names()),
        AlgorithmKind::Compression => ("compression", "Compression", Vec::new()),
    };
    let list = |names: &[String]| {
        // What only tells the server how we understand things is no algorithm.
        let told: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|name| !name.starts_with("ext-info-") && !name.starts_with("kex-strict-"))
            .collect();
        if told.is_empty() { "nothing".to_string() } else { printable(&told.join(","), SHOWN) }
    };
    let reason = format!(
        "key exchange: no common {what} algorithm; we offer {}; the server offers {}",
        list(ours),
        list(theirs)
    );
    let possible: Vec<&str> = theirs.iter().filter(|name| all.contains(name)).map(String::as_str).collect();
    let hint = if possible.is_empty() {
        let missing = algorithms.missing();
        let asked = match missing.is_empty() {
            true => String::new(),
            false => {
                format!(" (the ssh configuration also asks for {}, which deployer does not have)", missing.join(","))
            }
        };
        format!("deployer has none of those of the server{asked}; update the server, or its {keyword}")
    } else {
        format!(
            "the server knows old ways only. Update it, or, if you accept the risk for this host: {keyword} +{} in the ssh configuration",
            possible.join(",")
        )
    };
    Some(Failure::new(reason).hint(hint))
}
