//! `connections`: what the pool holds open.

use std::time::Duration;

use super::{Look, Reply, no_words};
use crate::host::ssh::ConnectionInfo;
use crate::shell::state::State;
use crate::terminal::style::{Style, escaped, folded};

pub(super) fn run(_: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    no_words("connections", words).map(|()| Reply::Connections)
}

/// Each connection as a line of its own, what is known of it indented below.
pub(crate) fn text(connections: &[ConnectionInfo], look: &Look) -> String {
    if connections.is_empty() {
        return "no connections: they are made when a command needs one\n".to_string();
    }
    connections.iter().map(|connection| one(connection, look)).collect()
}

fn one(connection: &ConnectionInfo, look: &Look) -> String {
    let ConnectionInfo { address, port, user, channels, hops, via, hosts, idle, server, algorithms } = connection;
    let address = if address.contains(':') { format!("[{address}]") } else { address.clone() };
    let destination = escaped(&format!("{user}@{address}:{port}"));
    let use_now = match (idle, channels) {
        (Some(idle), _) => format!("idle for {}", about(*idle)),
        (None, 1) => "1 channel in use".to_string(),
        (None, channels) => format!("{channels} channels in use"),
    };
    let led_on = match hops {
        0 => String::new(),
        1 => ", leads on to 1 other".to_string(),
        hops => format!(", leads on to {hops} others"),
    };
    let hosts = if hosts.is_empty() { String::new() } else { format!(", for {}", escaped(&hosts.join(", "))) };
    let mut text = Style::Bold.paint(look.colour, &folded(&destination, look.columns).join("\n")) + "\n";
    let via = via.iter().map(|via| format!("through {}", escaped(via)));
    let facts =
        [format!("{use_now}{led_on}{hosts}")].into_iter().chain(via).chain([escaped(server), escaped(algorithms)]);
    for fact in facts {
        for line in folded(&fact, look.columns.saturating_sub(2).max(1)) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

fn about(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::style::width;

    fn connection(idle: Option<u64>) -> ConnectionInfo {
        ConnectionInfo {
            address: "fe80::1".to_string(),
            port: 22,
            user: "deploy\x1b[2J".to_string(),
            channels: 2,
            hops: 1,
            via: Some("bastion, inner".to_string()),
            hosts: vec!["web1".to_string(), "web2".to_string()],
            idle: idle.map(Duration::from_secs),
            server: "OpenSSH_9.2p1 Debian-2".to_string(),
            algorithms: "curve25519-sha256, ssh-ed25519, aes256-gcm@openssh.com".to_string(),
        }
    }

    #[test]
    fn each_connection_says_who_uses_it_and_how_it_is_protected() {
        let look = Look { columns: 80, colour: false };
        assert_eq!(
            text(&[connection(None), connection(Some(300))], &look),
            "deploy\\x1b[2J@[fe80::1]:22\n  2 channels in use, leads on to 1 other, for web1, web2\n  through bastion, inner\n  OpenSSH_9.2p1 Debian-2\n  \
             curve25519-sha256, ssh-ed25519, aes256-gcm@openssh.com\n\
             deploy\\x1b[2J@[fe80::1]:22\n  idle for 5 min, leads on to 1 other, for web1, web2\n  through bastion, inner\n  OpenSSH_9.2p1 Debian-2\n  \
             curve25519-sha256, ssh-ed25519, aes256-gcm@openssh.com\n"
        );
        assert!(text(&[], &look).starts_with("no connections"));
    }

    #[test]
    fn nothing_is_wider_than_the_screen() {
        for columns in [10, 20, 40] {
            let shown = text(&[connection(None)], &Look { columns, colour: false });
            assert!(shown.lines().all(|line| width(line) <= columns), "{columns}: {shown}");
        }
    }
}
