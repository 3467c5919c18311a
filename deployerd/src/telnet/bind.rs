//! Binding the telnet port: loopback only, because there is no login (rows P-24, R-02, R-05).

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

/// A port that this process listens on.
#[derive(Debug)]
pub struct BoundPort {
    /// The address that was really bound.
    pub address: SocketAddr,
    /// The listening end, non-blocking.
    pub(crate) listener: TcpListener,
}

/// Why a port cannot be listened on; says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PortError(pub String);

/// Binds a loopback address; port 0 takes any free one.
///
/// # Errors
/// When the address is not of the loopback, or the port is taken or privileged.
pub fn bind(address: IpAddr, port: u16) -> Result<BoundPort, PortError> {
    if !address.is_loopback() {
        return Err(PortError(format!(
            "telnet on {address} is refused: it has no login and no encryption, everybody who reaches that address would \
             have your authority; bind 127.0.0.1 or ::1 and come from elsewhere through ssh (ssh -L)"
        )));
    }
    let wanted = SocketAddr::new(address, port);
    let failed = |error: io::Error| PortError(format!("cannot listen on {wanted}: {error}{}", remedy(&error)));
    let listener = TcpListener::bind(wanted).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(BoundPort { address, listener })
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; choose another port with --port, 0 takes any free one",
        io::ErrorKind::PermissionDenied => "; ports below 1024 are root's, choose another with --port",
        io::ErrorKind::AddrNotAvailable => "; this machine does not have that address",
        _ => "",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::bind;

    // rows: R-02 R-05
    #[test]
    fn only_the_loopback_is_bound() {
        for address in ["0.0.0.0", "::", "192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:127.0.0.1"] {
            let refused = bind(address.parse().unwrap(), 0).unwrap_err().to_string();
            assert!(refused.contains(address) && refused.contains("ssh -L"), "{refused}");
        }
        let bound = bind("127.0.0.1".parse().unwrap(), 0).unwrap();
        assert!(bound.address.ip().is_loopback() && bound.address.port() > 0);
        let taken = bind(bound.address.ip(), bound.address.port()).unwrap_err().to_string();
        assert!(taken.contains("choose another port"), "{taken}");
    }
}
