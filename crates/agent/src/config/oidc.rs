//! `[identity.oidc]`: the provider at which people may sign in.

use std::path::PathBuf;
use std::time::Duration;

use forebear_oidc::Issuer;
use toml::de::DeTable;

use super::keys::{Key, Section, quoted};
use super::problems::Problems;
use super::reading::{path, within};
use super::table::{self, Table};
use crate::quantity::Span;

/// The provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcConfig {
    /// What it calls itself.
    pub issuer: Issuer,
    /// What it calls this client.
    pub client_id: String,
    /// The file of the client's secret.
    pub client_secret_file: Option<PathBuf>,
    /// What is asked for.
    pub scopes: String,
    /// The claim that holds roles.
    pub roles_claim: Option<String>,
    /// The certificates of the only authorities that are trusted.
    pub ca_file: Option<PathBuf>,
    /// How long one request may take.
    pub timeout: Duration,
    /// Whether people need an account here.
    pub accounts: OidcAccounts,
}

/// Who may sign in at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OidcAccounts {
    /// Everybody whom it knows, unless their account here is revoked.
    Any,
    /// Who has an account here.
    Listed,
}

const SCOPES: &str = "openid email";
const TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUTS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(60);
/// The longest text of a client or a claim.
const LONGEST: usize = 256;

/// Its keys.
pub static OIDC: Section = Section {
    name: "identity.oidc",
    is_array: false,
    doc: "The OpenID provider of your organisation, at which people may sign in on another device\n\
          (RFC 8628). A change needs a restart.",
    keys: &[
        Key {
            name: "issuer",
            doc: "What the provider calls itself: an https:// URL, exactly as in its discovery\n\
                  document.",
            default: |_| None,
            example: "\"https://id.example.com\"",
        },
        Key {
            name: "client_id",
            doc: "What the provider calls this client, which has to be allowed device authorization.",
            default: |_| None,
            example: "\"forebear\"",
        },
        Key {
            name: "client_secret_file",
            doc: "A file with the client's secret, for root alone. Without it the client is public.",
            default: |_| None,
            example: "\"/etc/forebear/oidc.secret\"",
        },
        Key {
            name: "scopes",
            doc: "What is asked for, with blanks in between.",
            default: |_| quoted(SCOPES),
            example: "",
        },
        Key {
            name: "roles_claim",
            doc: "The claim that holds a person's roles: a name, or names with dots in between.\n\
                  Without it roles are those of `forebear-agent users`.",
            default: |_| None,
            example: "\"groups\"",
        },
        Key {
            name: "accounts",
            doc: "Who may sign in: \"any\" whom the provider knows, or \"listed\", who also has an\n\
                  account here. Revoked accounts never may.",
            default: |_| quoted("any"),
            example: "",
        },
        Key {
            name: "ca_file",
            doc: "Certificates (PEM) of the only authorities that the provider's may come from.\n\
                  Without it those of the machine.",
            default: |_| None,
            example: "\"/etc/forebear/ca.pem\"",
        },
        Key {
            name: "timeout",
            doc: "How long one request to the provider may take.",
            default: |_| quoted(Span(TIMEOUT)),
            example: "",
        },
    ],
};

/// The provider, if there is to be one and it is right.
pub(super) fn read<'t>(top: &DeTable<'t>, problems: &mut Problems<'t>) -> Option<OidcConfig> {
    let (entries, place) = table::inner(top, &OIDC, problems);
    let table = &mut Table::new(&OIDC, entries, place, problems);
    let issuer = table.parsed("issuer", Ok);
    let client_id = name(table, "client_id");
    let client_secret_file = path(table, "client_secret_file");
    let scopes = table.parsed("scopes", scopes).unwrap_or_else(|| SCOPES.to_owned());
    let roles_claim = name(table, "roles_claim");
    let accounts = table.parsed("accounts", accounts).unwrap_or(OidcAccounts::Any);
    let ca_file = path(table, "ca_file");
    let timeout = table.parsed("timeout", |span| within(span, &TIMEOUTS)).unwrap_or(TIMEOUT);
    entries?;
    for key in ["issuer", "client_id"] {
        if table.place_of(key) == table.place {
            let example = OIDC.example(key);
            let text = format!("[identity.oidc] has no {key}: add {key} = {example}");
            table.problems.missing(table.place, text);
        }
    }
    let (issuer, client_id) = (issuer?, client_id?);
    Some(OidcConfig {
        issuer,
        client_id,
        client_secret_file,
        scopes,
        roles_claim,
        ca_file,
        timeout,
        accounts,
    })
}

fn name(table: &mut Table<'_, '_, '_>, key: &str) -> Option<String> {
    table.parsed(key, |text: String| {
        let is_good = (1..=LONGEST).contains(&text.len()) && !text.contains(char::is_control);
        let form = format!("write 1 to {LONGEST} printable characters");
        is_good.then_some(text).ok_or(form)
    })
}

fn scopes(text: String) -> Result<String, String> {
    match text.len() <= LONGEST && text.split(' ').any(|scope| scope == "openid") {
        true => Ok(text),
        false => Err("name the scope openid, and others with blanks in between".to_owned()),
    }
}

fn accounts(text: String) -> Result<OidcAccounts, String> {
    match &*text {
        "any" => Ok(OidcAccounts::Any),
        "listed" => Ok(OidcAccounts::Listed),
        _ => Err("write \"any\" or \"listed\"".to_owned()),
    }
}
