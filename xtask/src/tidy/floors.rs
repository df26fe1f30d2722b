//! The floor plan: which crate may depend on which, and who alone may use a foreign one.
//!
//! This table is the law that ARCHITECTURE.md explains and deny.toml repeats for outsiders.
//! Development dependencies count like the others; only the test kit is allowed there and
//! nowhere else.

use cargo_metadata::{DependencyKind, Metadata};

/// A crate of ours, and those of ours that it may depend on.
const FLOORS: [(&str, &[&str]); 20] = [
    ("forebear-model", &[]),
    ("forebear-spool", &[]),
    ("forebear-door", &[]),
    ("forebear-pam", &["forebear-door"]),
    ("forebear-gate", &["forebear-door"]),
    ("forebear-manual", &[]),
    ("forebear-identity", &[]),
    ("forebear-oidc", &["forebear-identity"]),
    ("forebear-events", &["forebear-model"]),
    ("forebear-sensor", &["forebear-model"]),
    ("forebear-archive", &["forebear-events"]),
    ("forebear-query", &["forebear-events"]),
    ("forebear-engine", &["forebear-archive", "forebear-events", "forebear-query"]),
    (
        "forebear-agent",
        &[
            "forebear-sensor",
            "forebear-archive",
            "forebear-spool",
            "forebear-door",
            "forebear-events",
            "forebear-identity",
            "forebear-manual",
            "forebear-model",
            "forebear-oidc",
            "forebear-query",
        ],
    ),
    (
        "forebear",
        &[
            "forebear-archive",
            "forebear-engine",
            "forebear-events",
            "forebear-manual",
            "forebear-model",
            "forebear-query",
        ],
    ),
    ("forebear-fleet", &["forebear-archive", "forebear-events", "forebear-model"]),
    (TEST_KIT, &["forebear-events", "forebear-model"]),
    (END_TO_END, &[TEST_KIT, "forebear-events", "forebear-model"]),
    (
        "forebear-fuzz",
        &[
            "forebear-door",
            "forebear-events",
            "forebear-identity",
            "forebear-model",
            "forebear-oidc",
            "forebear-query",
            "forebear-sensor",
        ],
    ),
    ("xtask", &[]),
];

/// Goes into development dependencies only.
const TEST_KIT: &str = "forebear-testkit";

/// Holds tests and no product code, so the test kit is a plain dependency there.
const END_TO_END: &str = "forebear-e2e";

/// A foreign crate, and the only ones of ours that may use it.
const RESERVED: [(&str, &[&str]); 15] = [
    ("datafusion", &["forebear-engine"]),
    ("libbpf-rs", &["forebear-sensor"]),
    ("libbpf-cargo", &["forebear-sensor"]),
    ("schemars", &["forebear-events"]),
    ("object_store", &["forebear-archive"]),
    ("clap", &["forebear-agent", "forebear", "forebear-fleet", "forebear-manual"]),
    ("clap_complete", &["forebear-manual"]),
    ("clap_mangen", &["forebear-manual"]),
    ("cargo_metadata", &["xtask"]),
    ("argon2", &["forebear-identity"]),
    ("hmac", &["forebear-identity"]),
    ("qrcode", &["forebear-identity"]),
    ("jsonwebtoken", &["forebear-oidc"]),
    ("reqwest", &["forebear-oidc"]),
    ("ring", &["forebear-oidc"]),
];

/// Foreign crates that a crate of ours must not use, with the reason.
const BARRED: [(&str, &str, &str); 8] = [
    ("forebear-model", "serde", "the model is not serialized; its twin in events is"),
    ("forebear-model", "serde_json", "the model is not serialized; its twin in events is"),
    ("forebear-model", "rustix", "the model does no input or output"),
    ("forebear-model", "fs-err", "the model does no input or output"),
    ("forebear-events", "rustix", "events know no operating system"),
    ("forebear-events", "fs-err", "events know no files"),
    ("forebear-query", "rustix", "a query does no input or output"),
    ("forebear-query", "fs-err", "a query does no input or output"),
];

/// Everything in the workspace's dependencies that is against the plan.
pub(super) fn check(metadata: &Metadata) -> Vec<String> {
    let ours: Vec<&str> =
        metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in metadata.workspace_packages() {
        let edges = package.dependencies.iter();
        let edges: Vec<Edge<'_>> = edges
            .map(|dependency| Edge {
                from: package.name.as_str(),
                to: dependency.name.as_str(),
                development: dependency.kind == DependencyKind::Development,
            })
            .collect();
        findings.extend(unknown(package.name.as_str()));
        findings.extend(edges.iter().filter_map(|edge| check_edge(edge, &ours)));
    }
    findings
}

struct Edge<'a> {
    from: &'a str,
    to: &'a str,
    development: bool,
}

fn unknown(package: &str) -> Option<String> {
    let known = FLOORS.iter().any(|(name, _)| *name == package);
    (!known).then(|| format!("{package}: has no floor; give it one in xtask/src/tidy/floors.rs"))
}

fn check_edge(edge: &Edge<'_>, ours: &[&str]) -> Option<String> {
    let Edge { from, to, development } = *edge;
    if ours.contains(&to) {
        let (_, below) = FLOORS.iter().find(|(name, _)| *name == from)?;
        if to == TEST_KIT {
            let allowed = development || from == END_TO_END;
            return (!allowed).then(|| format!("{from} -> {to}: only as a development dependency"));
        }
        // The product's crates may drive themselves in their own tests.
        return (!below.contains(&to) && from != to)
            .then(|| format!("{from} -> {to}: this arrow is not in the floor plan"));
    }
    if let Some((_, allowed)) = RESERVED.iter().find(|(name, _)| *name == to)
        && !allowed.contains(&from)
    {
        return Some(format!("{from} -> {to}: only {} may use it", allowed.join(", ")));
    }
    let (_, _, why) = BARRED.iter().find(|(ours, foreign, _)| *ours == from && *foreign == to)?;
    (!development).then(|| format!("{from} -> {to}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn says(from: &str, to: &str, development: bool, expected: Option<&str>) {
        let ours: Vec<&str> = FLOORS.iter().map(|(name, _)| *name).collect();
        let finding = check_edge(&Edge { from, to, development }, &ours);
        match (finding, expected) {
            (None, None) => {}
            (Some(finding), Some(part)) => assert!(finding.contains(part), "{finding}"),
            (finding, expected) => panic!("found {finding:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn an_arrow_down_is_allowed() {
        says("forebear-agent", "forebear-sensor", false, None);
        says("forebear-events", "forebear-model", false, None);
    }

    #[test]
    fn an_arrow_up_or_sideways_is_found() {
        says("forebear-model", "forebear-events", false, Some("not in the floor plan"));
        says("forebear-events", "forebear-sensor", true, Some("not in the floor plan"));
        says("forebear", "forebear-agent", false, Some("not in the floor plan"));
        says("forebear-e2e", "forebear-agent", true, Some("not in the floor plan"));
    }

    #[test]
    fn the_test_kit_is_for_development_only() {
        says("forebear-agent", "forebear-testkit", true, None);
        says("forebear-e2e", "forebear-testkit", false, None);
        says("forebear-agent", "forebear-testkit", false, Some("development"));
    }

    #[test]
    fn a_reserved_crate_has_one_user() {
        says("forebear-sensor", "libbpf-rs", false, None);
        says("forebear-agent", "libbpf-rs", false, Some("only forebear-sensor"));
    }

    #[test]
    fn the_model_is_not_serialized() {
        says("forebear-model", "serde", false, Some("not serialized"));
    }

    #[test]
    fn a_crate_without_a_floor_is_found() {
        assert!(unknown("forebear-model").is_none());
        assert!(unknown("forebear-attic").is_some());
    }
}
