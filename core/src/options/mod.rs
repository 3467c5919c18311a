//! Options of a session (section T): typed, in one table, settable in the deployment file, by flag and in the shell.
//!
//! A value comes from the innermost place that says one: `set-option` in the session, the client that opened it, the
//! daemon's flags, the deployment file, the table (`docs/decisions/0010-options.md`). Nothing is stored beyond the session (row T-02).

mod key;
mod kind;
mod settings;
mod table;

pub use key::ControlKey;
pub use kind::{Kind, OptionValue};
pub use settings::{OptionError, Settings};
pub use table::{Definition, ParallelView, TABLE};

use std::sync::Arc;

use tokio::sync::watch;

/// Where a value was given. Later ones win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// `deployer.options` in the deployment file.
    File,
    /// Flags of whoever serves the session: `listen`, `run`.
    Daemon,
    /// Flags of the client that opened the session: `connect`.
    Client,
    /// `set-option` in the session.
    Session,
}

impl Layer {
    const ALL: [Layer; 4] = [Layer::File, Layer::Daemon, Layer::Client, Layer::Session];

    /// Where a value comes from, for people.
    pub fn origin(self) -> &'static str {
        match self {
            Layer::File => "deployment file",
            Layer::Daemon => "given at the start",
            Layer::Client => "given with connect",
            Layer::Session => "set here",
        }
    }
}

/// One row of `show-options`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Name of the option.
    pub name: &'static str,
    /// Its value as it would be typed.
    pub value: String,
    /// Where the value was given; `None`: nowhere, it is the default.
    pub layer: Option<Layer>,
}

/// The options of one session. Shared by all who obey them; changing one is seen at once by whoever reads it next, and
/// by those who [subscribed](Options::subscribe).
pub struct Options {
    layers: watch::Sender<[Settings; 4]>,
    has_daemon: bool,
}

impl Options {
    /// Those of a session in a daemon.
    pub fn of_daemon() -> Arc<Options> {
        Arc::new(Options { layers: watch::Sender::default(), has_daemon: true })
    }

    /// Those of a shell without a daemon (`run -s`): options that only a daemon can obey are refused and not listed.
    pub fn of_process() -> Arc<Options> {
        Arc::new(Options { layers: watch::Sender::default(), has_daemon: false })
    }

    /// The options that exist here, in the order of the table.
    pub fn definitions(&self) -> impl Iterator<Item = &'static Definition> {
        let has_daemon = self.has_daemon;
        TABLE.iter().filter(move |definition| has_daemon || !definition.needs_daemon)
    }

    /// Sets one from text, in the session (`set-option`).
    ///
    /// # Errors
    /// When there is no such option, or it cannot have this value; the message says what there is.
    pub fn set(&self, name: &str, value: &str) -> Result<(), OptionError> {
        let mut one = Settings::default();
        one.set(name, value)?;
        if !self.has_daemon && one.needs_daemon() {
            return Err(OptionError::NeedsDaemon(name.to_string()));
        }
        self.layers.send_modify(|layers| layers[Layer::Session as usize].take_over(&one));
        Ok(())
    }

    /// Gives a layer these values instead of those it had: at the start, and for the file when it is loaded again.
    pub fn replace(&self, layer: Layer, settings: Settings) {
        self.layers.send_if_modified(|layers| {
            let changed = layers[layer as usize] != settings;
            layers[layer as usize] = settings;
            changed
        });
    }

    /// What its operators have set, by flag or in the session: what another window of theirs begins with.
    pub fn own(&self) -> Settings {
        let layers = self.layers.borrow();
        let mut own = layers[Layer::Client as usize].clone();
        own.take_over(&layers[Layer::Session as usize]);
        own
    }

    /// The value of an option of [`TABLE`]; `None` for other names.
    pub fn get(&self, name: &str) -> Option<OptionValue> {
        let definition = table::definition(name)?;
        let layers = self.layers.borrow();
        let given = Layer::ALL.into_iter().rev().find_map(|layer| layers[layer as usize].get(definition.name));
        Some(given.unwrap_or_else(|| definition.default_value()))
    }

    /// All that exist here, with their values and where those come from.
    pub fn shown(&self) -> Vec<Shown> {
        let layers = self.layers.borrow();
        let shown = |definition: &'static Definition| {
            let given = Layer::ALL.into_iter().rev().find_map(|layer| {
                layers[layer as usize].get(definition.name).map(|value| (value.to_string(), Some(layer)))
            });
            let (value, layer) = given.unwrap_or_else(|| (definition.default_value().to_string(), None));
            Shown { name: definition.name, value, layer }
        };
        self.definitions().map(shown).collect()
    }

    /// Tells of changes (row T-03): the receiver is marked as changed whenever a value may have become another.
    pub fn subscribe(&self) -> Changes {
        Changes(self.layers.subscribe())
    }

    /// Whether windows of isolations stay open when their isolation has ended (rows T-01, Q-21).
    pub fn keep_panes_open(&self) -> bool {
        matches!(self.get(table::KEEP_PANES_OPEN), Some(OptionValue::OnOff(true)))
    }

    /// How the isolations of a parallel action are shown.
    pub fn parallel_view(&self) -> ParallelView {
        match self.get(table::PARALLEL_VIEW) {
            Some(OptionValue::Choice(name)) => ParallelView::named(name),
            _ => ParallelView::default(),
        }
    }

    /// How many isolations of one parallel action run at once; `None`: all.
    pub fn parallel(&self) -> Option<usize> {
        match self.get(table::PARALLEL) {
            Some(OptionValue::Count(count)) => count,
            _ => None,
        }
    }

    /// The key that detaches; `None`: none does.
    pub fn detach_key(&self) -> Option<ControlKey> {
        self.key(table::DETACH_KEY)
    }

    /// The key that opens another window (row Q-15); `None`: none does.
    pub fn new_window_key(&self) -> Option<ControlKey> {
        self.key(table::NEW_WINDOW_KEY)
    }

    fn key(&self, name: &str) -> Option<ControlKey> {
        match self.get(name) {
            Some(OptionValue::Key(key)) => key,
            _ => None,
        }
    }
}

/// Hears of changes of options.
pub struct Changes(watch::Receiver<[Settings; 4]>);

impl Changes {
    /// Waits for the next change; false when the options are gone. Cancel safe.
    pub async fn next(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}

#[cfg(test)]
mod tests;
