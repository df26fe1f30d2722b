//! What holds for every query and every event, tried on random ones.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use forebear_query::{Comparison, Expr, Moment, Operator, Query, Span, Truth, parse, render};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::sample::select;

fn moment() -> Moment {
    Moment { now: "2026-11-24T12:00:00Z".parse().unwrap(), zone: TimeZone::UTC }
}

/// The tree with every place forgotten.
fn without_places(expr: &Expr) -> Expr {
    match expr {
        Expr::All(members) => Expr::All(members.iter().map(without_places).collect()),
        Expr::Any(members) => Expr::Any(members.iter().map(without_places).collect()),
        Expr::Not(inner) => Expr::Not(Box::new(without_places(inner))),
        Expr::Comparison(comparison) => Expr::Comparison(Comparison {
            property_at: Span::default(),
            operator_at: Span::default(),
            value_at: Span::default(),
            ..comparison.clone()
        }),
    }
}

/// Trees whose leaves are of this kind, at most a few levels deep.
fn tree(leaf: impl Strategy<Value = Comparison> + 'static) -> impl Strategy<Value = Expr> {
    leaf.prop_map(Expr::Comparison).prop_recursive(4, 24, 4, |inner| {
        let members = || proptest::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            members().prop_map(|members| Expr::all(members).unwrap()),
            members().prop_map(|members| Expr::any(members).unwrap()),
            inner.prop_map(|inner| Expr::Not(Box::new(inner))),
        ]
    })
}

fn comparison(property: String, operator: Operator, value: String) -> Comparison {
    let place = Span::default();
    Comparison {
        property,
        property_at: place,
        operator,
        operator_at: place,
        value,
        value_at: place,
    }
}

/// Any comparison that can be written down.
fn any_comparison() -> impl Strategy<Value = Comparison> {
    ("[a-z]{2}_[a-z0-9._/-]{0,8}", select(&Operator::ALL[..]), any::<String>())
        .prop_map(|(property, operator, value)| comparison(property, operator, value))
}

/// Comparisons that mean something, about few fields, so that random events hit them.
fn sound_comparison() -> impl Strategy<Value = Comparison> {
    let (equal, all) = (&Operator::ALL[..2], &Operator::ALL[..]);
    let lists = || select(vec![Operator::Equal, Operator::NotEqual, Operator::In, Operator::NotIn]);
    let of = |property: &'static str| {
        move |(operator, value): (Operator, &str)| {
            comparison(property.to_owned(), operator, value.to_owned())
        }
    };
    prop_oneof![
        3 => (select(all), select(DATES)).prop_map(of("cmd_date")),
        1 => (select(all), select(DATES)).prop_map(of("event_time")),
        2 => (lists(), select(HOSTS)).prop_map(of("server")),
        1 => (lists(), select(HOSTS)).prop_map(of("host.id")),
        1 => (lists(), select(&["a", "b", "*"][..])).prop_map(of("cmd_root")),
        1 => (lists(), select(&["a", "b", "?"][..])).prop_map(of("cmd_roles")),
        1 => (lists(), select(&["a", "b"][..])).prop_map(of("cmd_parent_cmd_root")),
        1 => (select(equal), select(&["true", "false"][..])).prop_map(of("cmd_user_typed")),
        1 => (select(all), select(&["1", "2"][..])).prop_map(of("cmd_pid")),
    ]
}

const DATES: &[&str] = &[
    "2026-11-22",
    "yesterday",
    "today",
    "2 days ago",
    "2026-11-23 00:00",
    "last month",
    "1795392000",
];
const HOSTS: &[&str] =
    &["1f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6", "2f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6", "1f*", "*"];

/// A random event: its line, time and host.
#[derive(Clone, Debug)]
struct Event {
    line: String,
    ns: Option<i128>,
    host: Option<&'static str>,
}

fn event() -> impl Strategy<Value = Event> {
    let name = || proptest::option::of(select(&["a", "b"][..]));
    // Around the edges of days of the dates above.
    let days = select(&[0_i64, 29, 30, 31, 32, 53, 54, 55, 56][..]);
    let time = proptest::option::of((days, select(&[-1_i64, 0, 1][..])));
    let times = time.prop_map(|time| {
        time.map(|(day, off)| 1_790_726_400_000_000_000 + day * 86_400_000_000_000 + off)
    });
    let host = proptest::option::of(select(&HOSTS[..2]));
    let roles = proptest::option::of(proptest::collection::vec(select(&["a", "b"][..]), 0..3));
    let typed = proptest::option::of(any::<bool>());
    let missing = any::<bool>();
    (times, host, name(), name(), name(), roles, typed, missing).prop_map(
        |(ns, host, own, parent, typed_by, roles, typed, missing)| {
            let mut value = serde_json::json!({"event_type": "EXEC", "self": {"pid": 1}});
            if let Some(ns) = ns {
                let time = Timestamp::from_nanosecond(ns.into()).unwrap();
                value["event_time"] = time.to_string().into();
            }
            if let Some(host) = host {
                value["host"] = serde_json::json!({ "id": host });
            }
            for (role, name) in [("self", own), ("parent", parent), ("last_user_entered", typed_by)]
            {
                if let Some(name) = name {
                    value[role]["name"] = name.into();
                }
            }
            if let Some(roles) = roles {
                value["cmd_roles"] = roles.into();
            }
            if let Some(typed) = typed {
                value["self"]["user_entered"] = typed.into();
            }
            if missing && parent.is_none() {
                value["missing"] = serde_json::json!({"parent": "sensor_lost_events"});
            }
            Event { line: value.to_string(), ns: ns.map(i128::from), host }
        },
    )
}

fn truth(expr: &Expr, event: &Event) -> Truth {
    let text = expr.to_string();
    let query = Query::compile(&text, moment())
        .unwrap_or_else(|problems| panic!("{}", render(&text, &problems)));
    query.of_line(event.line.as_bytes()).unwrap()
}

fn not(expr: &Expr) -> Expr {
    Expr::Not(Box::new(expr.clone()))
}

/// Keywords, names, signs and quotes in any order.
fn soup() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "and",
        "or",
        "not",
        "in",
        "where",
        "(",
        ")",
        "=",
        "!=",
        "<",
        "'",
        "''",
        "'a'",
        "\"",
        "[",
        "[^",
        "[[:digit:]]",
        "cmd_root",
        "cmd_date",
        "cmd_pid",
        "self",
        "self.name",
        "macro_x",
        "server",
        "x",
        "1",
        "yesterday",
        ",",
        "\n",
        "\u{1b}",
        "é",
        "’",
    ];
    let piece = (select(PIECES), select(&[" ", ""][..]));
    let piece = piece.prop_map(|(piece, blank)| format!("{piece}{blank}"));
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_query_is_read_as_the_same_query(expr in tree(any_comparison())) {
        let text = expr.to_string();
        let again = parse(&text).unwrap_or_else(|problems| panic!("{}", render(&text, &problems)));
        prop_assert_eq!(&without_places(&again), &without_places(&expr));
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn what_can_be_read_has_one_canonical_text(text in soup()) {
        if let Ok(expr) = parse(&text) {
            let canonical = expr.to_string();
            prop_assert_eq!(parse(&canonical).unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn a_wrong_query_has_mistakes_with_places_in_it(text in prop_oneof![soup(), any::<String>()]) {
        if let Err(problems) = Query::compile(&text, moment()) {
            prop_assert!(!problems.is_empty());
            for problem in &problems {
                prop_assert!(problem.span.start <= problem.span.end, "{:?}", problem);
                prop_assert!(problem.span.end <= text.len(), "{:?}", problem);
                prop_assert!(text.is_char_boundary(problem.span.start), "{:?}", problem);
                prop_assert!(text.is_char_boundary(problem.span.end), "{:?}", problem);
            }
            let shown = render(&text, &problems);
            prop_assert!(!shown.contains('\u{1b}'), "{:?}", shown);
        }
    }

    #[test]
    fn de_morgan_holds_on_three_values(
        a in tree(sound_comparison()),
        b in tree(sound_comparison()),
        event in event(),
    ) {
        let both = Expr::all(vec![a.clone(), b.clone()]).unwrap();
        let either = Expr::any(vec![a.clone(), b.clone()]).unwrap();
        let neither = Expr::all(vec![not(&a), not(&b)]).unwrap();
        let not_both = Expr::any(vec![not(&a), not(&b)]).unwrap();
        prop_assert_eq!(truth(&not(&both), &event), truth(&not_both, &event));
        prop_assert_eq!(truth(&not(&either), &event), truth(&neither, &event));
        prop_assert_eq!(truth(&both, &event), truth(&a, &event).and(truth(&b, &event)));
        prop_assert_eq!(truth(&either, &event), truth(&a, &event).or(truth(&b, &event)));
        prop_assert_eq!(truth(&not(&a), &event), !truth(&a, &event));
    }

    #[test]
    fn a_negative_operator_is_the_opposite_of_its_positive_twin(
        mut positive in sound_comparison(),
        event in event(),
    ) {
        let (one, other) = match positive.operator {
            Operator::Equal | Operator::NotEqual => (Operator::Equal, Operator::NotEqual),
            Operator::In | Operator::NotIn => (Operator::In, Operator::NotIn),
            Operator::Less | Operator::AtLeast => (Operator::Less, Operator::AtLeast),
            Operator::Greater | Operator::AtMost => (Operator::Greater, Operator::AtMost),
        };
        positive.operator = one;
        let negative = Comparison { operator: other, ..positive.clone() };
        let (positive, negative) = (Expr::Comparison(positive), Expr::Comparison(negative));
        prop_assert_eq!(truth(&negative, &event), !truth(&positive, &event));
    }

    #[test]
    fn nothing_that_matches_is_out_of_bounds(
        expr in tree(sound_comparison()),
        events in proptest::collection::vec(event(), 1..12),
    ) {
        let query = Query::compile(&expr.to_string(), moment()).unwrap();
        let bounds = query.bounds();
        for event in events {
            if query.of_line(event.line.as_bytes()).unwrap() != Truth::True {
                continue;
            }
            prop_assert!(!bounds.are_empty(), "{} {:?}", expr, event);
            // An event without a time or a host is in no archive.
            if let Some(ns) = event.ns {
                prop_assert!(bounds.from.is_none_or(|from| from <= ns), "{} {:?}", expr, bounds);
                prop_assert!(bounds.to.is_none_or(|to| ns < to), "{} {:?}", expr, bounds);
            }
            if let (Some(host), Some(hosts)) = (event.host, &bounds.hosts) {
                prop_assert!(hosts.contains(host), "{} {:?}", expr, bounds);
            }
        }
    }
}
