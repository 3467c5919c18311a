//! `deployer telnet-server`: a daemon with a telnet port besides its socket.

use super::{Program, listen};
use crate::args::TelnetServer;
use crate::failure::Failure;

/// Rows P-24, R-01, R-02.
pub(super) fn telnet_server(program: &Program, server: &TelnetServer) -> Result<u8, Failure> {
    // Refused before anything is loaded.
    let port = deployerd::telnet::bind(server.bind, server.port).map_err(|error| Failure::usage(error.to_string()))?;
    listen::listen(program, &server.listen, Some(port))
}
