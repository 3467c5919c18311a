//! What to try next when logging in, decided from what is there and what the server says. No input, no output.

use russh::MethodKind;

/// Keys offered to one server; with six failures a stock sshd hangs up, and one is left for a password.
const MAX_KEYS: usize = 5;
/// How often a person may type a password, as in OpenSSH.
const MAX_ASKED: usize = 3;
/// How many keyboard-interactive dialogues are begun.
const MAX_DIALOGUES: usize = 3;

/// The next thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Log in without proof; servers answer with what they allow.
    Probe,
    /// The key of this index.
    Key(usize),
    /// The password that was given.
    GivenPassword,
    /// A password that a person types.
    AskedPassword,
    /// A dialogue; a single password prompt may be answered with the password that was given.
    Dialogue,
}

/// State of one login.
#[derive(Debug)]
pub(super) struct Plan {
    keys: usize,
    next_key: usize,
    offered: usize,
    /// A password is there that was not tried yet.
    given: bool,
    /// Whether a person may be asked for a password: not when the deployment gives one.
    may_ask: bool,
    asked: usize,
    dialogues: usize,
    probed: bool,
    partial: bool,
    allowed: Option<Vec<MethodKind>>,
}

impl Plan {
    /// `keys` to offer, whether a password is at hand, and whether a person may be asked for one.
    pub(super) fn new(keys: usize, password: bool, may_ask: bool) -> Plan {
        Plan {
            keys,
            next_key: 0,
            offered: 0,
            given: password,
            may_ask,
            asked: 0,
            dialogues: 0,
            probed: false,
            partial: false,
            allowed: None,
        }
    }

    /// The next step; `None`: there is nothing left.
    pub(super) fn next(&mut self) -> Option<Step> {
        if self.allowed.is_none() && self.keys == 0 && !self.probed {
            self.probed = true;
            return Some(Step::Probe);
        }
        if self.allows(MethodKind::PublicKey) && self.next_key < self.keys && self.offered < MAX_KEYS {
            self.next_key += 1;
            self.offered += 1;
            return Some(Step::Key(self.next_key - 1));
        }
        if self.allows(MethodKind::Password) {
            if self.given {
                self.given = false;
                return Some(Step::GivenPassword);
            }
            if self.may_ask && self.asked < MAX_ASKED {
                self.asked += 1;
                return Some(Step::AskedPassword);
            }
        }
        let something_to_say = self.given || self.may_ask || self.partial;
        if self.allows(MethodKind::KeyboardInteractive) && something_to_say && self.dialogues < MAX_DIALOGUES {
            self.dialogues += 1;
            return Some(Step::Dialogue);
        }
        None
    }

    /// Whether the password that was given may still be used; asking uses it up.
    pub(super) fn take_given(&mut self) -> bool {
        std::mem::take(&mut self.given)
    }

    /// The server did not let us in (yet): what it allows now, and whether the step was good as one of several.
    pub(super) fn answered(&mut self, allowed: &[MethodKind], partial: bool) {
        self.allowed = Some(allowed.to_vec());
        self.partial |= partial;
    }

    /// The step could not be tried at all, so the server did not count it.
    pub(super) fn not_offered(&mut self) {
        self.offered = self.offered.saturating_sub(1);
    }

    /// Nobody is there to be asked.
    pub(super) fn nobody(&mut self) {
        self.may_ask = false;
        self.dialogues = MAX_DIALOGUES;
    }

    /// What the server allows, as far as it said.
    pub(super) fn allowed(&self) -> Option<&[MethodKind]> {
        self.allowed.as_deref()
    }

    fn allows(&self, method: MethodKind) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&method))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MethodKind::{KeyboardInteractive as Kbd, Password as Pw, PublicKey as Pk};

    /// Plays a login against a server that never lets in; each step is answered with the next of `answers`, the last one
    /// for ever.
    fn play(keys: usize, password: bool, answers: &[(&[MethodKind], bool)]) -> Vec<Step> {
        let mut plan = Plan::new(keys, password, !password);
        let mut steps = Vec::new();
        while let Some(step) = plan.next() {
            let (allowed, partial) = answers[steps.len().min(answers.len() - 1)];
            plan.answered(allowed, partial);
            steps.push(step);
            assert!(steps.len() < 30, "a login must end: {steps:?}");
        }
        steps
    }

    // rows: F-62
    #[test]
    fn keys_then_password_then_dialogue() {
        use Step::*;
        assert_eq!(play(2, true, &[(&[Pk, Pw], false)]), [Key(0), Key(1), GivenPassword]);
        assert_eq!(play(1, false, &[(&[Pk, Pw], false)]), [Key(0), AskedPassword, AskedPassword, AskedPassword]);
        assert_eq!(play(0, true, &[(&[Pk, Pw], false)]), [Probe, GivenPassword]);
        assert_eq!(play(0, false, &[(&[Pk], false)]), [Probe]);
        assert_eq!(play(3, true, &[(&[Pw], false)]), [Key(0), GivenPassword]);
        assert_eq!(play(1, true, &[(&[Kbd], false)])[..2], [Key(0), Dialogue]);
        assert_eq!(play(0, false, &[(&[Kbd], false)]), [Probe, Dialogue, Dialogue, Dialogue]);
        // A given password that was wrong is not tried again by other means, and nobody is asked for another.
        assert_eq!(play(0, true, &[(&[Pw, Kbd], false)]), [Probe, GivenPassword]);
    }

    #[test]
    fn at_most_five_keys_are_offered() {
        assert_eq!(play(9, false, &[(&[Pk], false)]).len(), 5);
        let mut plan = Plan::new(9, false, true);
        for _ in 0..7 {
            assert!(matches!(plan.next(), Some(Step::Key(_))));
            plan.not_offered();
        }
        assert!(matches!(plan.next(), Some(Step::Key(7))));
    }

    #[test]
    fn servers_that_want_two_proofs_get_them() {
        use Step::*;
        let key_then_code = play(2, false, &[(&[Kbd], true)]);
        assert_eq!(key_then_code[..2], [Key(0), Dialogue]);
        let password_then_code = play(0, true, &[(&[Pw], false), (&[Kbd], true)]);
        assert_eq!(password_then_code[..3], [Probe, GivenPassword, Dialogue]);
        let key_then_password = play(1, true, &[(&[Pw], true)]);
        assert_eq!(key_then_password, [Key(0), GivenPassword]);
        let two_keys = play(2, false, &[(&[Pk], true)]);
        assert_eq!(two_keys, [Key(0), Key(1)]);
    }

    #[test]
    fn without_a_person_nothing_is_asked_twice() {
        let mut plan = Plan::new(0, false, true);
        plan.next();
        plan.answered(&[Pw, Kbd], false);
        assert_eq!(plan.next(), Some(Step::AskedPassword));
        plan.nobody();
        assert_eq!(plan.next(), None);
    }
}
