//! Names: of accounts, which are e-mail addresses, and of roles.
//!
//! Invariants:
//! - Every name is short and of characters that need no escaping: not in TOML, not in CSV, and
//!   none of them moves a terminal's cursor.
//! - Addresses are in lower case, so that a person has one account however it is typed.

use std::fmt;
use std::str::FromStr;

/// Longest address, in bytes (RFC 5321, 4.5.3.1.3, less the angle brackets).
const MAX_EMAIL: usize = 254;
/// Longest part before the `@` (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Longest role, in bytes.
const MAX_ROLE: usize = 64;

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not an address.
    #[error(
        "this is no e-mail address: write one such as ada@example.com, of at most {MAX_EMAIL} \
         characters of ASCII"
    )]
    Email,
    /// Not a role.
    #[error("a role is 1 to {MAX_ROLE} of the characters a-z A-Z 0-9 . _ : / -, such as dba")]
    Role,
}

/// The name of an account: an e-mail address, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (local, domain) = text.split_once('@').ok_or(NameError::Email)?;
        // Of what RFC 5322 allows without quotes, those that addresses have.
        let is_local =
            |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_{|}~-".contains(&byte);
        let is_domain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        let is_good = text.len() <= MAX_EMAIL
            && (1..=MAX_LOCAL).contains(&local.len())
            && local.bytes().all(is_local)
            && domain.bytes().all(is_domain)
            && domain.split('.').all(|label| !label.is_empty());
        is_good.then(|| Self(text.to_ascii_lowercase())).ok_or(NameError::Email)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What somebody is allowed to be, in the operator's own words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role(String);

impl Role {
    /// The role.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Role {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
        let is_role = (1..=MAX_ROLE).contains(&text.len()) && text.bytes().all(is_good);
        is_role.then(|| Self(text.to_owned())).ok_or(NameError::Role)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_kept_in_lower_case() {
        assert_eq!(
            "Ada.L+vpn@Example.COM".parse::<Email>().unwrap().as_str(),
            "ada.l+vpn@example.com"
        );
        assert!("root@localhost".parse::<Email>().is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}", "b".repeat(253));
        let wrong = [
            "",
            "ada",
            "@",
            "ada@",
            "@example.com",
            "a@b@c",
            "a b@c",
            "a@b..c",
            "a@.b",
            "a@b.",
            "a\n@b",
            "a\"@b",
            "a\\@b",
            "a@b_c",
            "ä@b",
            "a`@b",
            "a,@b",
            &long_local,
            &long,
        ];
        for wrong in wrong {
            assert_eq!(wrong.parse::<Email>(), Err(NameError::Email), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_no_role_is_refused() {
        assert!("team/db:write-1_x.y".parse::<Role>().is_ok());
        let long = "r".repeat(65);
        for wrong in ["", " ", "a b", "a,b", "a\"", "ö", "a;b", "[x]", &long] {
            assert_eq!(wrong.parse::<Role>(), Err(NameError::Role), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn a_name_needs_no_escaping_anywhere(text in "\\PC{0,12}@\\PC{0,12}|\\PC{0,20}") {
            let names = [
                text.parse::<Email>().ok().map(|name| name.to_string()),
                text.parse::<Role>().ok().map(|name| name.to_string()),
            ];
            for name in names.into_iter().flatten() {
                prop_assert!(name.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(!name.contains(['"', '\\', ',', ';', ' ']));
            }
        }
    }
}
