//! What `list-sessions --json` tells.

use anyhow::Context;

/// A session as `list-sessions --json` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionLine {
    /// Its name.
    pub name: String,
    /// How many clients are attached.
    pub clients: usize,
    /// Dotted path of the node where its shell stands.
    pub node: String,
    /// The action that it runs.
    pub running: Option<String>,
}

impl SessionLine {
    pub(crate) fn read_all(json: &str) -> anyhow::Result<Vec<SessionLine>> {
        let told: serde_json::Value = serde_json::from_str(json)?;
        let daemons = told["daemons"].as_array().context("no list of daemons")?;
        let sessions = daemons.iter().filter_map(|daemon| daemon["sessions"].as_array()).flatten();
        sessions
            .map(|session| SessionLine::read(session).with_context(|| format!("not a session: {session}")))
            .collect()
    }

    fn read(session: &serde_json::Value) -> Option<SessionLine> {
        Some(SessionLine {
            name: session["name"].as_str()?.to_string(),
            clients: session["clients"].as_array()?.len(),
            node: session["node"].as_str()?.to_string(),
            running: session["action"].as_str().map(str::to_string),
        })
    }
}
