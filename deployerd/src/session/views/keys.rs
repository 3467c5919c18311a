//! What keys do in a view.

use std::time::Duration;

use bytes::Bytes;
use deployer_core::terminal::keys::{Key, KeyDecoder};
use tokio::time::Instant;

use super::PaneId;
use super::layout;
use super::pane::Standing;
use super::stage::{Mode, Stage};

/// Leaves a focused isolation: Ctrl-G, which hardly any program wants.
const BACK: u8 = 0x07;
/// Two Ctrl-C within this time are one gesture: it asks, it does not answer.
const GESTURE: Duration = Duration::from_secs(1);

/// What must be done outside.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The bell: a key went nowhere.
    Bell,
    /// Leave the view for good; this was typed at whoever had the keyboard before.
    GiveUp(&'static [u8]),
    /// Leave the action running in the background.
    Leave,
    /// All has ended and was looked at.
    Close,
}

impl Stage {
    /// Takes keys.
    pub(super) fn typed(&mut self, bytes: &Bytes) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            rest = match self.mode.clone() {
                Mode::Focus(ids) => self.at_focus(&ids, rest, &mut effects),
                _ => {
                    self.decoder.feed(&rest);
                    self.at_view(&mut effects)
                }
            };
        }
        effects
    }

    /// Keys for focused isolations; what comes after the key that leaves is left.
    fn at_focus(&mut self, ids: &[PaneId], mut bytes: Bytes, effects: &mut Vec<Effect>) -> Bytes {
        let end = bytes.iter().position(|byte| *byte == BACK).unwrap_or(bytes.len());
        let keys = bytes.split_to(end);
        if !keys.is_empty() && !self.type_at(ids, &keys) {
            let ended = ids
                .iter()
                .all(|id| self.panes.get_mut(id).is_none_or(|pane| !pane.standing(Instant::now()).is_under_way()));
            match (ended, keys.as_ref()) {
                (true, b"\r" | b"\n" | b"q" | b"\x1b" | b"\x03") => self.back(),
                _ => effects.push(Effect::Bell),
            }
        }
        if !bytes.is_empty() {
            self.back();
            return bytes.slice(1..);
        }
        bytes
    }

    /// Keys for the view; those for an isolation that was focused by one of them are left.
    fn at_view(&mut self, effects: &mut Vec<Effect>) -> Bytes {
        while let Some(key) = self.decoder.next_key() {
            match self.mode {
                Mode::Ask(since) => self.answer(&key, since, effects),
                _ => self.command(&key, effects),
            }
            if matches!(self.mode, Mode::Focus(_)) {
                let rest = self.decoder.take_rest();
                self.decoder = KeyDecoder::new();
                return rest;
            }
        }
        Bytes::new()
    }

    fn command(&mut self, key: &Key, effects: &mut Vec<Effect>) {
        let page = isize::try_from(self.area().rows).unwrap_or(1).max(1);
        let across = self.tiles().map_or(1, |tiles| isize::try_from(layout::across(&tiles)).unwrap_or(1));
        match key {
            Key::Up | Key::Char('k') => self.select(-across),
            Key::Down | Key::Char('j') => self.select(across),
            Key::Left | Key::Char('h') if across > 1 => self.select(-1),
            Key::Right | Key::Char('l') if across > 1 => self.select(1),
            Key::Left | Key::Char('h') => self.apart.clear(),
            Key::PageUp | Key::Ctrl('b') => self.select(-page),
            Key::PageDown | Key::Ctrl('f') | Key::Char(' ') => self.select(page),
            Key::Home | Key::Char('g') => self.select(isize::MIN / 2),
            Key::End | Key::Char('G') => self.select(isize::MAX / 2),
            Key::Tab => self.next_that_waits(effects),
            Key::Enter | Key::Right | Key::Char('l') => self.enter(effects),
            Key::Char('a') => self.focus_all(effects),
            Key::Char('v') => {
                self.folded = !self.folded;
                if !self.folded && self.tiles().is_none() {
                    self.folded = true;
                    self.say("no room for tiles: one line per host");
                }
                self.arrange();
            }
            Key::Ctrl('c') if self.mode == Mode::Done => effects.push(Effect::Close),
            Key::Ctrl('c') => self.mode = Mode::Ask(Instant::now()),
            Key::Char('q') | Key::Ctrl('g') if self.mode == Mode::Done => effects.push(Effect::Close),
            _ => effects.push(Effect::Bell),
        }
    }

    /// An answer to what Ctrl-C shall mean.
    fn answer(&mut self, key: &Key, since: Instant, effects: &mut Vec<Effect>) {
        match key {
            Key::Ctrl('c') if since.elapsed() < GESTURE => return,
            Key::Char('s' | 'S') | Key::Ctrl('c') => {
                let again = self.stopping();
                self.runs.iter().for_each(|run| run.run.cancel.cancel());
                match again {
                    // Whoever watches over the action asks whether to wait for what does not end.
                    true => effects.push(Effect::GiveUp(b"\x03")),
                    false => self.say("every host was asked to end"),
                }
            }
            Key::Char('l' | 'L') if self.can_leave => effects.push(Effect::Leave),
            Key::Char('g' | 'G' | 'q') | Key::Ctrl('g') | Key::Enter => {}
            _ => return effects.push(Effect::Bell),
        }
        self.mode = Mode::Overview;
    }

    /// Whether everything was asked to end already.
    pub(super) fn stopping(&self) -> bool {
        !self.runs.is_empty() && self.runs.iter().all(|run| run.run.cancel.is_cancelled())
    }

    /// The isolations that can be selected, in the order shown; each stands for those folded with it.
    fn order(&mut self) -> Vec<Vec<PaneId>> {
        match self.tiles() {
            Some(_) => self.panes.keys().map(|id| vec![*id]).collect(),
            None => self.lines(Instant::now()).into_iter().map(|line| line.members).collect(),
        }
    }

    fn selected_at(&self, order: &[Vec<PaneId>]) -> Option<usize> {
        let selected = self.selected?;
        order.iter().position(|members| members.contains(&selected))
    }

    fn select(&mut self, by: isize) {
        let order = self.order();
        let at = match self.selected_at(&order) {
            Some(at) => at.saturating_add_signed(by).min(order.len().saturating_sub(1)),
            None => 0,
        };
        self.selected = order.get(at).and_then(|members| members.first().copied());
    }

    fn enter(&mut self, effects: &mut Vec<Effect>) {
        let order = self.order();
        let at = self.selected_at(&order).unwrap_or(0);
        match order.get(at).map(Vec::as_slice) {
            Some([one]) => self.focus(vec![*one]),
            Some([first, ..]) => {
                self.apart.extend(&order[at]);
                self.selected = Some(*first);
            }
            _ => effects.push(Effect::Bell),
        }
    }

    /// Focuses all that are folded in one line and under way: what is typed goes to each of them.
    fn focus_all(&mut self, effects: &mut Vec<Effect>) {
        let now = Instant::now();
        let order = self.order();
        let members = self.selected_at(&order).or(Some(0)).and_then(|at| order.into_iter().nth(at)).unwrap_or_default();
        let under_way = |id: &PaneId| self.panes.get_mut(id).is_some_and(|pane| pane.standing(now).is_under_way());
        let members: Vec<PaneId> = members.into_iter().filter(under_way).collect();
        match members.is_empty() {
            true => effects.push(Effect::Bell),
            false => self.focus(members),
        }
    }

    fn focus(&mut self, ids: Vec<PaneId>) {
        self.selected = ids.first().copied();
        self.mode = Mode::Focus(ids);
        self.arrange();
    }

    fn back(&mut self) {
        let now = Instant::now();
        let ended = self.keep_open
            && self
                .panes
                .values_mut()
                .all(|pane| pane.standing(now) > Standing::Queued || pane.standing(now) == Standing::Failed);
        self.mode = if ended { Mode::Done } else { Mode::Overview };
        self.arrange();
    }

    fn next_that_waits(&mut self, effects: &mut Vec<Effect>) {
        let now = Instant::now();
        let wanted = |standing: Standing| matches!(standing, Standing::Waiting | Standing::PerhapsWaiting);
        let standings: Vec<(PaneId, Standing)> =
            self.panes.iter_mut().map(|(id, pane)| (*id, pane.standing(now))).collect();
        let any_waits = standings.iter().any(|(_, standing)| wanted(*standing));
        // Behind the selected one, then from the start; those that failed when nobody waits.
        let selected = self.selected;
        let of_interest = |(_, standing): &&(PaneId, Standing)| {
            if any_waits { wanted(*standing) } else { standing.wants_attention() }
        };
        let behind = standings.iter().filter(|(id, _)| Some(*id) > selected).find(of_interest);
        match behind.or_else(|| standings.iter().find(of_interest)) {
            Some((id, _)) => {
                self.selected = Some(*id);
                self.apart.insert(*id);
            }
            None => effects.push(Effect::Bell),
        }
    }
}
