//! The pattern matcher: its cases, and a matcher too dumb to be wrong beside it.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn is(pattern: &str, text: &str, expected: bool) {
    let glob = Glob::new(pattern).unwrap();
    assert_eq!(glob.matches(text), expected, "{pattern:?} on {text:?}");
}

#[test]
fn the_whole_value_is_matched() {
    is("wget", "wget", true);
    is("wget", "wget2", false);
    is("wget", "mwget", false);
    is("", "", true);
    is("", "x", false);
}

#[test]
fn a_star_is_any_run() {
    is("*", "", true);
    is("/tmp/*", "/tmp/", true);
    is("/tmp/*", "/tmp/a/b", true);
    is("*a*a*", "banana", true);
    is("*.s*h", "x.sh.tgz", false);
    is("ab*ba", "aba", false);
    is("**a**", "a", true);
}

#[test]
fn a_question_mark_is_one_character() {
    is("?", "ä", true);
    is("?", "", false);
    is("?at", "at", false);
    is("*?", "", false);
    is("*?x?*", "axb", true);
}

#[test]
fn sets_ranges_and_classes_are_one_character() {
    is("[az /]", " ", true);
    is("[az /]", "b", false);
    is("[a-c]x", "bx", true);
    is("[!a-c]x", "bx", false);
    is("[!a-c]x", "dx", true);
    is("[[:digit:]]", "7", true);
    is("[![:digit:]]", "7", false);
    is("[[:alpha:]_]*", "_x", true);
    is("[]]", "]", true);
    is("[!]]", "]", false);
    is("[a-]", "-", true);
    is("[α-ω]", "λ", true);
}

#[test]
fn brackets_escape_and_a_backslash_does_not() {
    is("[*]", "*", true);
    is("[*]", "x", false);
    is("[[]", "[", true);
    is("[?]", "x", false);
    is(r"\*", r"\anything", true);
    is(r"\*", "*", false);
}

#[test]
fn what_is_not_utf8_is_one_character_for_each_sequence() {
    let shown = String::from_utf8_lossy(b"/tmp/\xffx\xe2\x82");
    is("/tmp/?x?", &shown, true);
    is("/tmp/\u{FFFD}x*", &shown, true);
    is("/tmp/[!a-z]x[!a-z]", &shown, true);
    is("/tmp/x", &shown, false);
}

#[track_caller]
fn is_refused(pattern: &str, at: (usize, usize), message: &str) {
    let fault = Glob::new(pattern).unwrap_err();
    assert_eq!((fault.start, fault.end), at, "{fault:?}");
    assert!(fault.message.contains(message), "{fault:?}");
}

#[test]
fn what_is_not_well_formed_is_refused_with_its_place() {
    is_refused("ab[cd", (2, 3), "not closed");
    is_refused("a[]", (1, 2), "not closed");
    is_refused("[z-a]", (1, 4), "backwards");
    is_refused("x[[:foo:]]", (2, 9), "no class");
    is_refused("[^a]", (1, 2), "does not begin with ^");
}

#[track_caller]
fn lists(list: &str, expected: &[&str]) {
    let found: Vec<&str> = items(list).into_iter().map(|(_, item)| item).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_list_is_split_at_commas_outside_of_brackets() {
    lists("wget,curl", &["wget", "curl"]);
    lists(" wget , curl ", &["wget", "curl"]);
    lists("a[,]b,c", &["a[,]b", "c"]);
    lists("[ ]a,b[ ]", &["[ ]a", "b[ ]"]);
    lists("", &[""]);
    lists("a,,b", &["a", "", "b"]);
}

/// A matcher too dumb to be wrong.
fn dumb(pattern: &[Atom], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        // The reference has no other run.
        [Atom::One('*'), rest @ ..] => (0..=text.len()).any(|skip| dumb(rest, &text[skip..])),
        [atom, rest @ ..] => {
            text.first().is_some_and(|c| atom.matches(*c)) && dumb(rest, &text[1..])
        }
    }
}

/// A piece of a pattern: its text, and what it is to the dumb matcher.
fn piece() -> impl Strategy<Value = (String, Atom)> {
    let set = |text: &str| Atom::Set(Set::parse(text).unwrap().0);
    prop_oneof![
        3 => proptest::char::ranges(vec!['a'..='c'].into())
            .prop_map(|c| (c.to_string(), Atom::One(c))),
        2 => Just(("*".to_owned(), Atom::One('*'))),
        1 => Just(("?".to_owned(), Atom::Any)),
        1 => proptest::sample::select(vec!["[ab]", "[!a]", "[b-c]", "[[:alpha:]]"])
            .prop_map(move |text| (text.to_owned(), set(text))),
    ]
}

proptest! {
    #[test]
    fn it_agrees_with_a_dumb_matcher(
        pieces in proptest::collection::vec(piece(), 0..8),
        text in "[abcé]{0,9}",
    ) {
        let pattern: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
        let atoms: Vec<Atom> = pieces.into_iter().map(|(_, atom)| atom).collect();
        let chars: Vec<char> = text.chars().collect();
        prop_assert_eq!(Glob::new(&pattern).unwrap().matches(&text), dumb(&atoms, &chars));
    }

    #[test]
    fn no_pattern_panics(pattern: String, text: String) {
        if let Ok(glob) = Glob::new(&pattern) {
            glob.matches(&text);
        }
        items(&pattern);
    }
}

#[test]
fn the_worst_pattern_on_the_longest_command_takes_no_time() {
    let text = "a".repeat(128 << 10);
    for pattern in ["*a*a*a*a*a*a*a*a*a*b", "*aaaaaaaaaaaaaaaaab*", "*?a?a?a?ab*"] {
        let began = std::time::Instant::now();
        is(pattern, &text, false);
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{pattern}");
    }
}
