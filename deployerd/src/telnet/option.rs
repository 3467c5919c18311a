//! One option in one direction, negotiated as RFC 1143 says, so that no two peers can answer each other for ever.
//!
//! We ask to switch options on and never to switch them off again; of the six states of the RFC three are left.

/// How often a peer may switch an option on again. Of two peers that have lost each other's state (one message too many
/// is enough) both would answer for ever, whatever the RFC says.
const AGAIN_MAX: u8 = 8;

/// Whether an option is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Switch {
    state: State,
    /// How often it was switched off.
    stopped: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Off,
    /// We have asked for it and were not answered yet.
    Asked,
    On,
}

impl Switch {
    /// Asks for it; whether something is to be sent.
    pub(super) fn ask(&mut self) -> bool {
        let ask = self.state == State::Off;
        if ask {
            self.state = State::Asked;
        }
        ask
    }

    /// The peer agrees or asks (WILL or DO); what to answer: yes, no, or nothing. `may`: whether we want it.
    pub(super) fn agreed(&mut self, may: bool) -> Option<bool> {
        let may = may && self.stopped < AGAIN_MAX;
        let before = self.state;
        if may || before != State::Off {
            self.state = State::On;
        }
        (before == State::Off).then_some(may)
    }

    /// The peer refuses or stops (WONT or DONT); what to answer.
    pub(super) fn refused(&mut self) -> Option<bool> {
        let before = std::mem::take(&mut self.state);
        self.stopped = self.stopped.saturating_add(u8::from(before == State::On));
        (before == State::On).then_some(false)
    }

    /// Whether it is on.
    pub(super) fn is_on(self) -> bool {
        self.state == State::On
    }

    /// Whether an answer is missing.
    pub(super) fn is_asked(self) -> bool {
        self.state == State::Asked
    }
}

#[cfg(test)]
mod tests {
    use super::Switch;

    /// Two peers that both speak so come to rest whatever both ask for, and agree then.
    #[test]
    fn two_peers_come_to_rest_and_agree() {
        for steps in 0..4_u32.pow(6) {
            let (mut ours, mut theirs) = (Switch::default(), Switch::default());
            // What is under way, oldest first: yes or no.
            let (mut to_them, mut to_us) = (Vec::new(), Vec::new());
            let mut step = |what: u32, ours: &mut Switch, theirs: &mut Switch| match what {
                0 if ours.ask() => to_them.push(true),
                1 if theirs.ask() => to_us.push(true),
                2 if !to_them.is_empty() => {
                    let yes = to_them.remove(0);
                    to_us.extend(if yes { theirs.agreed(true) } else { theirs.refused() });
                }
                3 if !to_us.is_empty() => {
                    let yes = to_us.remove(0);
                    to_them.extend(if yes { ours.agreed(true) } else { ours.refused() });
                }
                _ => {}
            };
            for digit in 0..6 {
                step(steps / 4_u32.pow(digit) % 4, &mut ours, &mut theirs);
            }
            for _ in 0..8 {
                step(2, &mut ours, &mut theirs);
                step(3, &mut ours, &mut theirs);
            }
            assert!(to_them.is_empty() && to_us.is_empty(), "{steps}: never comes to rest");
            assert_eq!(ours.is_on(), theirs.is_on(), "{steps}");
        }
    }

    #[test]
    fn what_is_not_wanted_is_refused_and_what_is_known_is_not_answered() {
        let mut switch = Switch::default();
        assert_eq!((switch.agreed(false), switch.is_on()), (Some(false), false));
        assert_eq!((switch.refused(), switch.is_on()), (None, false));
        for _ in 0..super::AGAIN_MAX {
            assert_eq!((switch.agreed(true), switch.is_on()), (Some(true), true));
            assert_eq!((switch.agreed(true), switch.is_on()), (None, true));
            assert_eq!((switch.refused(), switch.is_on()), (Some(false), false));
        }
        assert_eq!((switch.agreed(true), switch.is_on()), (Some(false), false), "enough is enough");
    }
}
