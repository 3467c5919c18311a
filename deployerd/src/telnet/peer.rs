//! Whose process is at the other end of a loopback connection: TCP has no peer credentials, the kernel's table of
//! sockets has (docs/decisions/0015-telnet-authority.md).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The kernel's tables.
const TABLES: [&str; 2] = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];

/// State of a connection whose both ends are open.
const ESTABLISHED: &str = "01";

/// The user who opened the socket at `peer` that is connected to ours at `local`; `None` when there is none any more.
/// Reads a file as long as the machine has connections: not for the event loop.
///
/// # Errors
/// When the system has no such table.
pub(super) fn owner(peer: SocketAddr, local: SocketAddr) -> io::Result<Option<u32>> {
    let (mut found, mut failure) = (None, None);
    for table in TABLES {
        match std::fs::read_to_string(table) {
            Ok(text) => found = found.or_else(|| owner_in(&text, peer, local)),
            // A machine without IPv6 has no second table.
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    match (found, failure) {
        (None, Some(error)) => Err(error),
        (found, _) => Ok(found),
    }
}

/// A socket that is closing, or that no process has any more, is listed as root's: only a connection that is open at
/// the other end, by a socket that exists, tells whose it is.
fn owner_in(table: &str, peer: SocketAddr, local: SocketAddr) -> Option<u32> {
    let same = |text: &str, address: SocketAddr| {
        parse(text).is_some_and(|(ip, port)| ip == address.ip().to_canonical() && port == address.port())
    };
    // Most lines are of others: they need not be understood.
    let port = format!(":{:04X} ", peer.port());
    table.lines().skip(1).filter(|line| line.contains(&port)).find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().take(10).collect();
        let [_, from, to, state, _, _, _, uid, _, inode] = fields[..] else { return None };
        let it_is = state == ESTABLISHED && inode != "0" && same(from, peer) && same(to, local);
        if it_is { uid.parse().ok() } else { None }
    })
}

/// `0100007F:1F57`: words of four bytes in the order of this machine, and the port.
fn parse(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(address.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    let ip = match address.len() {
        8 => IpAddr::from(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?)).to_canonical()
        }
        _ => return None,
    };
    Some((ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn our_own_connection_is_ours_until_it_closes() {
        let us = rustix::process::geteuid().as_raw();
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let local = listener.local_addr().unwrap();
            let client = TcpStream::connect(local).unwrap();
            let (_server, peer) = listener.accept().unwrap();
            assert_eq!(owner(peer, local).unwrap(), Some(us), "{address}");
            assert_eq!(owner(local, peer).unwrap(), Some(us), "our own end is a socket as well");
            drop(client);
            assert_eq!(owner(peer, local).unwrap(), None, "{address}");
        }
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn only_an_open_connection_of_a_process_counts() {
        let table = |state: &str, inode: &str| {
            format!(
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                 0: 0100007F:1F57 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     7        0 1 1\n   \
                 1: 0100007F:9C40 0100007F:1F57 {state} 00000000:00000000 00:00000000 00000000  1000        0 {inode} 1 0 20\n"
            )
        };
        let (peer, local) = ("127.0.0.1:40000".parse().unwrap(), "127.0.0.1:8023".parse().unwrap());
        assert_eq!(owner_in(&table("01", "4242"), peer, local), Some(1000));
        for (state, inode) in [("06", "0"), ("04", "4242"), ("05", "0"), ("01", "0")] {
            assert_eq!(owner_in(&table(state, inode), peer, local), None, "{state} {inode}");
        }
        let mapped =
            "0: 0000000000000000FFFF00000100007F:9C40 0000000000000000FFFF00000100007F:1F57 01 0:0 0:0 0 12 0 9";
        assert_eq!(owner_in(&format!("header\n{mapped}\n"), peer, local), Some(12));
        for garbage in ["", "header\nx\n", "header\n0: 0100007F:9C4 0100007F 01 0 0 0 1000 0 5\n"] {
            assert_eq!(owner_in(garbage, peer, local), None);
        }
    }
}
