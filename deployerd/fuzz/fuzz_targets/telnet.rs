//! Whatever a telnet peer sends, the answers are bounded by what it said, and pieces do not matter.
#![no_main]

use deployerd::telnet::Machine;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (mut whole, mut bytewise) = (Machine::default(), Machine::default());
    let outcome = whole.feed(bytes);
    let same = bytes.iter().try_for_each(|byte| bytewise.feed(&[*byte]));
    assert_eq!(outcome, same);
    let answers = whole.take_answers();
    assert!(answers.len() <= 3 * bytes.len());
    assert_eq!(answers, bytewise.take_answers());
    assert_eq!((whole.size(), whole.term()), (bytewise.size(), bytewise.term()));
});
