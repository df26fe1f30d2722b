//! The frames: what is encoded is decoded, and everything else is refused.

use proptest::prelude::*;

use super::*;

fn encoded(frame: FromAgent<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes).unwrap();
    bytes
}

#[test]
fn frames_are_these_bytes() {
    assert_eq!(
        encoded(FromAgent::Ask { is_echoed: true, text: "E-mail: " }),
        b"\x01\x41\x00\x09\x01E-mail: "
    );
    assert_eq!(encoded(FromAgent::Tell("a\nb")), b"\x01\x42\x00\x03a\nb");
    assert_eq!(encoded(FromAgent::Verified), b"\x01\x43\x00\x00");
    assert_eq!(encoded(FromAgent::Refused("no")), b"\x01\x44\x00\x02no");
    let mut bytes = Vec::new();
    let hello = Hello { service: "sshd", user: "ubuntu", host: "::1", terminal: "" };
    FromLogin::Hello(hello).encode(&mut bytes).unwrap();
    assert_eq!(bytes, b"\x01\x01\x00\x11\x04sshd\x06ubuntu\x03::1\x00");
    bytes.clear();
    FromLogin::Answer(b"\xff").encode(&mut bytes).unwrap();
    assert_eq!(bytes, b"\x01\x02\x00\x01\xff");
}

#[test]
fn what_is_no_frame_is_refused_as_soon_as_it_shows() {
    for (bytes, expected) in [
        (&b"\x02"[..], WireError::Version(2)),
        (b"GET / HTTP/1.1", WireError::Version(b'G')),
        (b"\x01\x41", WireError::Kind(65)),
        (b"\x01\x00\x00\x00", WireError::Kind(0)),
        (b"\x01\x02\x03\xfd", WireError::TooLong(1021)),
        (b"\x01\x02\xff\xff", WireError::TooLong(65535)),
        (b"\x01\x01\x00\x00", WireError::Body),
        (b"\x01\x01\x00\x04\x00\x00\x00\x01", WireError::Body),
        (b"\x01\x01\x00\x05\x00\x00\x00\x00\x00", WireError::Body),
        (b"\x01\x01\x00\x05\x01\xff\x00\x00\x00", WireError::Body),
        (b"\x01\x01\x00\x05\x01\n\x00\x00\x00", WireError::Body),
    ] {
        assert_eq!(FromLogin::decode(bytes), Err(expected), "{bytes:?}");
    }
    for (bytes, expected) in [
        (&b"\x01\x02"[..], WireError::Kind(2)),
        (b"\x01\x41\x00\x00", WireError::Body),
        (b"\x01\x41\x00\x01\x02", WireError::Body),
        (b"\x01\x43\x00\x01x", WireError::Body),
        (b"\x01\x44\x00\x01\x1b", WireError::Body),
        (b"\x01\x42\x00\x01\xff", WireError::Body),
    ] {
        assert_eq!(FromAgent::decode(bytes), Err(expected), "{bytes:?}");
    }
}

#[test]
fn what_cannot_be_sent_is_refused_and_nothing_is_appended() {
    let mut bytes = Vec::new();
    let long = "x".repeat(MAX_BODY + 1);
    let body = Err(WireError::Body);
    assert_eq!(FromAgent::Tell(&long).encode(&mut bytes), Err(WireError::TooLong(MAX_BODY + 1)));
    let ask = FromAgent::Ask { is_echoed: false, text: &long[1..] };
    assert_eq!(ask.encode(&mut bytes), Err(WireError::TooLong(MAX_BODY + 1)));
    assert_eq!(FromAgent::Refused("\x1b[2J").encode(&mut bytes), body);
    for user in ["a\nb", &long[..MAX_FIELD + 1], &long] {
        let hello = Hello { user, ..Hello::default() };
        assert_eq!(FromLogin::Hello(hello).encode(&mut bytes), body);
    }
    let answer = FromLogin::Answer(&[0; 70_000]);
    assert_eq!(answer.encode(&mut bytes), Err(WireError::TooLong(70_000)));
    assert!(bytes.is_empty());
}

#[test]
fn the_longest_frames_fit() {
    let field = "x".repeat(MAX_FIELD);
    let hello = Hello { service: &field, user: &field, host: &field, terminal: &field };
    let mut bytes = Vec::new();
    FromLogin::Hello(hello).encode(&mut bytes).unwrap();
    FromLogin::Answer(&[7; MAX_BODY]).encode(&mut bytes).unwrap();
    let (first, length) = FromLogin::decode(&bytes).unwrap().unwrap();
    assert_eq!(first, FromLogin::Hello(hello));
    let (second, _) = FromLogin::decode(&bytes[length..]).unwrap().unwrap();
    assert_eq!(second, FromLogin::Answer(&[7; MAX_BODY]));
    assert_eq!(bytes.len() - length, MAX_FRAME);
}

#[test]
fn an_answer_is_not_in_its_debug_output() {
    let shown = format!("{:?}", FromLogin::decode(b"\x01\x02\x00\x06123456"));
    assert_eq!(shown, "Ok(Some((Answer(..), 10)))");
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_as_the_same_and_not_before_it_is_all_there(
        is_echoed: bool, text in "[^\\pC]{0,250}(\n[^\\pC]{0,3})?",
        fields in proptest::array::uniform4("[^\\pC]{0,60}"),
        answer in proptest::collection::vec(any::<u8>(), 0..=MAX_BODY),
    ) {
        let [service, user, host, terminal] = fields.each_ref().map(|field| &**field);
        let hello = Hello { service, user, host, terminal };
        for frame in [FromLogin::Hello(hello), FromLogin::Answer(&answer)] {
            let mut bytes = Vec::new();
            frame.encode(&mut bytes).unwrap();
            prop_assert_eq!(FromLogin::decode(&bytes), Ok(Some((frame, bytes.len()))));
            for end in 0..bytes.len() {
                prop_assert_eq!(FromLogin::decode(&bytes[..end]), Ok(None));
            }
        }
        for frame in [
            FromAgent::Ask { is_echoed, text: &text },
            FromAgent::Tell(&text),
            FromAgent::Verified,
            FromAgent::Refused(&text),
        ] {
            let bytes = encoded(frame);
            prop_assert_eq!(FromAgent::decode(&bytes), Ok(Some((frame, bytes.len()))));
            for end in 0..bytes.len() {
                prop_assert_eq!(FromAgent::decode(&bytes[..end]), Ok(None));
            }
        }
    }

    #[test]
    fn the_decoders_keep_their_promises_over_any_bytes(
        head in prop_oneof![Just(vec![]), (0..80_u8, 0..4_u8).prop_map(|(kind, high)| vec![1, kind, high])],
        rest in proptest::collection::vec(any::<u8>(), 0..1100),
    ) {
        check(&[head, rest].concat());
    }
}
