//! What each message of a client needs. The only place that decides it: whoever adds a message adds a line here.

use deployer_protocol::FromClient;

use super::{Rank, Standing};

/// What a message needs, beyond any rank at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Nothing.
    Anybody,
    /// To type in the session it is about: its owner, those it is shared with, admins.
    Keyboard,
    /// To decide about the session it is about: its owner, admins.
    Own,
}

/// Which session a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// None, or one that does not exist yet.
    Nothing,
    /// The one the client is attached to.
    Attached,
    /// The one of this name.
    Named(&'a str),
}

/// What this message needs.
///
/// A viewer may have sessions, to walk the tree in; what runs in a session is decided where it runs (`overseer`).
pub(crate) fn rule(message: &FromClient) -> Rule {
    match message {
        FromClient::Hello(_) | FromClient::Open(_) | FromClient::SetOption(_) => Rule::Anybody,
        FromClient::Join(wish) if wish.watch => Rule::Anybody,
        FromClient::Join(_) => Rule::Keyboard,
        FromClient::Input(_) | FromClient::EndOfInput(()) | FromClient::Interrupt(()) => Rule::Keyboard,
        // Sizes of watchers do not count, and everybody may leave.
        FromClient::Resize(_) | FromClient::Detach(()) => Rule::Anybody,
        FromClient::List(()) | FromClient::People(()) | FromClient::Names(_) => Rule::Anybody,
        FromClient::Kill(_) | FromClient::Share(_) | FromClient::HandOver(_) => Rule::Own,
        // The log says what a watcher sees; a ticket is given to one user only.
        FromClient::Monitor(_) | FromClient::Claim(_) => Rule::Anybody,
        FromClient::OpensWindows(_) | FromClient::WindowRefused(_) => Rule::Anybody,
        // Ignored by all.
        FromClient::Unknown(_) => Rule::Anybody,
    }
}

/// Which session it is about.
pub(crate) fn subject(message: &FromClient) -> Subject<'_> {
    match message {
        FromClient::Join(wish) => Subject::Named(&wish.name),
        FromClient::Monitor(wish) => Subject::Named(&wish.name),
        FromClient::Kill(name) => Subject::Named(name),
        FromClient::Share(share) => Subject::Named(&share.session),
        FromClient::HandOver((session, _)) => Subject::Named(session),
        FromClient::Input(_)
        | FromClient::EndOfInput(())
        | FromClient::Interrupt(())
        | FromClient::Resize(_)
        | FromClient::Detach(()) => Subject::Attached,
        FromClient::Hello(_)
        | FromClient::Open(_)
        | FromClient::SetOption(_)
        | FromClient::List(())
        | FromClient::People(())
        | FromClient::Names(_)
        | FromClient::OpensWindows(_)
        | FromClient::Claim(_)
        | FromClient::WindowRefused(_)
        | FromClient::Unknown(_) => Subject::Nothing,
    }
}

/// The word for it in the journal and in refusals.
pub(crate) fn verb(message: &FromClient) -> &'static str {
    match message {
        FromClient::Hello(_) => "connect",
        FromClient::Open(_) => "open",
        FromClient::Join(wish) if wish.watch => "watch",
        FromClient::Join(_) => "join",
        FromClient::Input(_) | FromClient::EndOfInput(()) => "type",
        FromClient::Interrupt(()) => "interrupt",
        FromClient::Resize(_) => "resize",
        FromClient::Detach(()) => "detach",
        FromClient::List(()) | FromClient::People(()) => "list-sessions",
        FromClient::Names(_) => "complete",
        FromClient::SetOption(_) => "set-option",
        FromClient::Kill(_) => "kill-session",
        FromClient::Share(_) => "share",
        FromClient::HandOver(_) => "hand-over",
        FromClient::OpensWindows(_) => "announce",
        FromClient::Claim(_) => "claim",
        FromClient::WindowRefused(_) => "refuse-window",
        FromClient::Monitor(_) => "monitor",
        FromClient::Unknown(_) => "unknown",
    }
}

/// The decision. `standing` is that to the session that the message is about, `None` without one.
pub(crate) fn permit(rank: Option<Rank>, rule: Rule, standing: Option<Standing>) -> bool {
    let Some(_rank) = rank else { return false };
    match (rule, standing) {
        // What is about no session, or one that is not there, is answered by saying so.
        (Rule::Anybody, _) | (_, None) => true,
        (Rule::Keyboard, Some(standing)) => standing != Standing::Other,
        (Rule::Own, Some(standing)) => standing == Standing::Own,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use deployer_protocol::{Claim, Hello, Join, Open, OpenTerminal, Share, VERSION};

    use super::*;

    fn claim() -> Claim {
        let terminal = OpenTerminal { rows: 24, cols: 80, term: String::new(), colour: true };
        Claim { name: "s1".to_string(), terminal }
    }

    fn join(watch: bool) -> FromClient {
        let terminal = OpenTerminal { rows: 24, cols: 80, term: String::new(), colour: true };
        FromClient::Join(Join { name: "s1".to_string(), watch, terminal })
    }

    /// Every message there is with this number, and to whom each is allowed, as a line of the table in
    /// docs/authority.md: `all`, `keyboard` or `own`.
    fn decided(number: u16) -> Vec<(FromClient, &'static str)> {
        let name = || "s1".to_string();
        let open = Open { name: None, path: vec![], action: None, terminal: None, interactive: true };
        match number {
            1 => vec![(FromClient::Hello(Hello { version: VERSION, software: String::new() }), "all")],
            2 => vec![(FromClient::Open(open), "all")],
            3 => vec![(join(true), "all"), (join(false), "keyboard")],
            4 => vec![(FromClient::Input(Bytes::new()), "keyboard")],
            5 => vec![(FromClient::EndOfInput(()), "keyboard")],
            6 => vec![(FromClient::Resize((1, 1)), "all")],
            7 => vec![(FromClient::Detach(()), "all")],
            8 => vec![(FromClient::List(()), "all")],
            9 => vec![(FromClient::Kill(name()), "own")],
            10 => vec![(FromClient::Interrupt(()), "keyboard")],
            30 => vec![(FromClient::SetOption((String::new(), String::new())), "all")],
            31 => vec![(FromClient::OpensWindows(true), "all")],
            32 => vec![(FromClient::Claim(claim()), "all")],
            33 => vec![(FromClient::WindowRefused((name(), name())), "all")],
            34 => vec![(FromClient::Monitor(claim()), "all")],
            40 => vec![(FromClient::People(()), "all")],
            41 => vec![(FromClient::Share(Share { session: name(), user: name(), on: true }), "own")],
            42 => vec![(FromClient::HandOver((name(), name())), "own")],
            60 => vec![(FromClient::Names(vec![]), "all")],
            number => panic!("nobody has decided who may send message {number}: add it here and to docs/authority.md"),
        }
    }

    #[test]
    fn every_verb_is_decided_for_every_rank_and_standing() {
        let mut cases = 0;
        for (message, allowed) in FromClient::NUMBERS.iter().flat_map(|number| decided(*number)) {
            for rank in [None, Some(Rank::Viewer), Some(Rank::Operator), Some(Rank::Admin)] {
                for standing in [Standing::Own, Standing::Shared, Standing::Other] {
                    let about = (subject(&message) != Subject::Nothing).then_some(standing);
                    let expected = match (rank, allowed) {
                        (None, _) => false,
                        (_, "all") => true,
                        (_, "keyboard") => standing != Standing::Other,
                        (_, _) => standing == Standing::Own,
                    };
                    let got = permit(rank, rule(&message), about);
                    assert_eq!(got, expected, "{} by {rank:?}, {standing:?}", verb(&message));
                    cases += 1;
                }
            }
        }
        assert!(cases >= FromClient::NUMBERS.len() * 12);
    }

    #[test]
    fn the_page_about_authority_has_every_verb() {
        let page = include_str!("../../../docs/authority.md");
        for (message, allowed) in FromClient::NUMBERS.iter().flat_map(|number| decided(*number)) {
            let row = format!("| {} | {allowed} |", verb(&message));
            assert!(page.contains(&row), "docs/authority.md has no row: {row}");
        }
    }
}
