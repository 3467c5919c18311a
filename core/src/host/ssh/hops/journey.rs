//! On whose behalf a connection is made.

use crate::host::ssh::target::Target;

/// The host that somebody wants to reach; connections to its hops are made for it.
#[derive(Clone, Debug)]
pub(in crate::host::ssh) struct Journey {
    /// Slug of the host.
    slug: String,
    /// How many hops there are on the way to it.
    hops: usize,
}

impl Journey {
    pub(in crate::host::ssh) fn to(slug: &str, target: &Target) -> Journey {
        Journey { slug: slug.to_string(), hops: target.route.hops() }
    }

    /// The host that it leads to.
    pub(in crate::host::ssh) fn slug(&self) -> &str {
        &self.slug
    }

    /// Who asks, when a question comes up while this host, the last or a hop, is connected.
    pub(in crate::host::ssh) fn label(&self, target: &Target) -> String {
        match target.route.hops() {
            last if last >= self.hops => self.slug.clone(),
            before => format!("{} (hop {} of {} to {})", target.name, before + 1, self.hops, self.slug),
        }
    }
}
