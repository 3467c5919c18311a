//! A socket straight to the server.

use std::net::SocketAddr;
use std::time::Instant;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::host::ssh::failure::Failure;
use crate::host::ssh::target::Target;
use crate::host::ssh::vitals::describe_io;

/// Resolves the name and connects to the first address that answers.
pub(super) async fn open(target: &Target) -> Result<TcpStream, Failure> {
    let name = target.address.trim_start_matches('[').trim_end_matches(']');
    let resolved = match timeout(target.timeout, lookup_host((name, target.port))).await {
        Err(_) => return Err(Failure::late("name lookup", target.timeout)),
        Ok(Err(error)) => {
            return Err(Failure::new(format!("name lookup: {error}"))
                .hint("set address of the host, or HostName in the ssh configuration"));
        }
        Ok(Ok(addresses)) => addresses.collect::<Vec<SocketAddr>>(),
    };
    let started = Instant::now();
    let mut last = Failure::new("name lookup: no address");
    for (index, address) in resolved.iter().enumerate() {
        // Addresses that do not answer share the time, so that a dead one leaves some for the next.
        let left = u32::try_from(resolved.len() - index).unwrap_or(u32::MAX);
        let limit = target.timeout.saturating_sub(started.elapsed()) / left;
        match timeout(limit, TcpStream::connect(address)).await {
            Err(_) => last = Failure::late("connect", target.timeout),
            Ok(Err(error)) => last = Failure::new(describe_io(&error)),
            Ok(Ok(stream)) => {
                set_options(&stream).map_err(|error| Failure::new(format!("socket: {error}")))?;
                return Ok(stream);
            }
        }
    }
    Err(last)
}

fn set_options(stream: &TcpStream) -> std::io::Result<()> {
    // Without it every small message waits for the answer to the one before: fourteen times slower, measured.
    stream.set_nodelay(true)?;
    rustix::net::sockopt::set_socket_keepalive(stream, true)?;
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_quickack(stream, true)?;
    Ok(())
}
