//! What comes in on the identity socket: frames, and then answers in a dialogue; and what goes out
//! to a login.
//!
//! Promises: no bytes make the decoders panic; no answers make the dialogue panic, let anybody in,
//! or go on for ever; what it says fits into a frame.

use std::collections::BTreeSet;

use forebear_door::{Frame, FromAgent, ToAgent};
use forebear_identity::{Accounts, Dialogue, Limits, Step};

/// More answers than a dialogue takes: three attempts of three.
const ANSWERS: usize = 9;

/// Decodes the frames, and answers with them.
pub fn check(bytes: &[u8]) {
    let mut frame = Frame::default();
    let mut rest = bytes;
    while FromAgent::read(&mut rest, &mut frame).is_ok() {}
    let mut accounts = Accounts::default();
    let known = "a@b".parse().expect("an address");
    accounts.add(known, BTreeSet::new()).expect("there is room");
    let mut dialogue = Dialogue::new(Limits::default());
    let mut rest = bytes;
    let mut answers = 0;
    while let Ok(message) = ToAgent::read(&mut rest, &mut frame) {
        let ToAgent::Answer(answer) = message else { continue };
        answers += 1;
        match dialogue.answer(answer, &mut accounts, 1_800_000_000) {
            Step::Ask { prompt, .. } => {
                assert!(answers < ANSWERS, "it does not end");
                let ask = FromAgent::Ask { is_echoed: prompt.is_echoed, text: &prompt.text };
                ask.write(&mut Vec::new()).expect("a prompt fits into a frame");
            }
            Step::Refused { text, .. } => {
                FromAgent::Denied(&text).write(&mut Vec::new()).expect("it fits into a frame");
                return;
            }
            Step::Provider => panic!("there is no provider"),
            Step::Verified(verified) => panic!("{verified:?} was let in"),
        }
    }
}
