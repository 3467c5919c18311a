//! Which way a host is reached.

use std::sync::Arc;

use crate::host::ssh::target::{Key, Target};

/// The way to a host.
#[derive(Clone, Debug)]
pub(in crate::host::ssh) enum Route {
    Direct,
    /// A channel of a connection to this host.
    Jump(Arc<Target>),
    /// A program that talks to the server on its standard input and output.
    Command(ProxyCommand),
}

/// A program to go through.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::host::ssh) struct ProxyCommand {
    /// As written; hosts with the same one are taken to have the next hop in common.
    pub(in crate::host::ssh) written: String,
    /// What is run, tokens replaced.
    pub(in crate::host::ssh) line: String,
}

/// A way, as far as it makes connections different.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::host::ssh) enum Via {
    Direct,
    Jump(Key),
    Command(ProxyCommand),
}

/// What is spared by the dial governor: the server that sees the logins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::host::ssh) enum NextHop {
    /// The same address behind another hop is another machine.
    Server(Via, String, u16),
    /// Nobody knows where a program goes first; most go to one bastion.
    Command(String),
}

impl Route {
    pub(in crate::host::ssh) fn via(&self) -> Via {
        match self {
            Route::Direct => Via::Direct,
            Route::Jump(hop) => Via::Jump(hop.key.clone()),
            Route::Command(command) => Via::Command(command.clone()),
        }
    }

    /// Where a connection to this address begins.
    pub(in crate::host::ssh) fn next_hop(&self, address: &str, port: u16) -> NextHop {
        match self {
            Route::Command(command) => NextHop::Command(command.written.clone()),
            Route::Direct | Route::Jump(_) => NextHop::Server(self.via(), address.to_string(), port),
        }
    }

    /// Hosts that are gone through.
    pub(in crate::host::ssh) fn hops(&self) -> usize {
        match self {
            Route::Jump(hop) => hop.route.hops() + 1,
            Route::Direct | Route::Command(_) => 0,
        }
    }

    /// The way in words, first hop first; `None`: straight.
    pub(in crate::host::ssh) fn describe(&self) -> Option<String> {
        match self {
            Route::Direct => None,
            Route::Command(_) => Some("a proxy command".into()),
            Route::Jump(hop) => Some(match hop.route.describe() {
                Some(before) => format!("{before}, {}", hop.name),
                None => hop.name.clone(),
            }),
        }
    }
}
