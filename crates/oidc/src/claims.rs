//! Who somebody is, by what a provider claims of them.

use std::collections::BTreeSet;

use forebear_identity::{Email, MAX_ROLES, Role};
use serde_json::{Map, Value};

/// What a provider claims, by name.
pub(crate) type Claims = Map<String, Value>;

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their address.
    pub email: Email,
    /// Their roles, if a claim was named to take them from.
    pub roles: Option<Roles>,
}

/// Roles of a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Those that can be roles, in order: the first [`MAX_ROLES`].
    pub roles: BTreeSet<Role>,
    /// How many were left out: not of the form of a role, or too many.
    pub left_out: usize,
}

/// Why claims say of nobody who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// No address.
    #[error(
        "the provider tells no e-mail address of this person; is the scope `email` granted to this \
         client?"
    )]
    NoEmail,
    /// Not the form of an account's name.
    #[error("the person's e-mail address at the provider cannot be the name of an account")]
    NotAnEmail,
    /// The provider has not made sure that it is theirs.
    #[error("the provider says that the person's e-mail address is not verified")]
    NotVerified,
}

/// Reads them; roles from this claim, if there is to be one.
pub(crate) fn read(claims: &Claims, roles_claim: Option<&str>) -> Result<Person, Unfit> {
    let email = match claims.get("email") {
        Some(Value::String(text)) => text.parse().map_err(|_| Unfit::NotAnEmail)?,
        _ => return Err(Unfit::NoEmail),
    };
    let is_verified = match claims.get("email_verified") {
        // Many providers have verified addresses only, and do not say so.
        None | Some(Value::Null | Value::Bool(true)) => true,
        // Not the standard's form, but there are such providers.
        Some(Value::String(text)) => text == "true",
        Some(_) => false,
    };
    if !is_verified {
        return Err(Unfit::NotVerified);
    }
    let roles = roles_claim.map(|name| find(claims, name).map(roles).unwrap_or_default());
    Ok(Person { email, roles })
}

/// A claim by its name, or by a path of names with dots between: some names have dots in them, so
/// the whole name comes first.
pub(crate) fn find<'c>(claims: &'c Claims, name: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let mut inner = claims;
    let mut names = name.split('.').peekable();
    while let Some(name) = names.next() {
        let value = inner.get(name)?;
        if names.peek().is_none() {
            return Some(value);
        }
        inner = value.as_object()?;
    }
    None
}

/// A text is a role, a list of texts is several.
fn roles(value: &Value) -> Roles {
    let values = match value {
        Value::Array(values) => values.as_slice(),
        Value::Null => &[],
        one => std::slice::from_ref(one),
    };
    let role = |value: &Value| value.as_str().and_then(|text| text.parse::<Role>().ok());
    let mut found = Roles::default();
    for value in values {
        match role(value) {
            Some(role) => _ = found.roles.insert(role),
            None => found.left_out += 1,
        }
    }
    while found.roles.len() > MAX_ROLES {
        found.roles.pop_last();
        found.left_out += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        value.as_object().unwrap().clone()
    }

    fn with_email(mut value: Value) -> Claims {
        value["email"] = json!("Ada@Example.com");
        claims(value)
    }

    #[track_caller]
    fn has_roles(value: Value, name: &str, expected: &[&str], left_out: usize) {
        let found = read(&with_email(value), Some(name)).unwrap().roles.unwrap();
        let roles: Vec<&str> = found.roles.iter().map(Role::as_str).collect();
        assert_eq!((roles.as_slice(), found.left_out), (expected, left_out));
    }

    #[test]
    fn an_address_is_whose_it_is_unless_it_is_not_verified() {
        let ada: Email = "ada@example.com".parse().unwrap();
        for verified in [json!({}), json!({"email_verified": true})] {
            let person = read(&with_email(verified), None);
            assert_eq!(person, Ok(Person { email: ada.clone(), roles: None }));
        }
        for verified in [json!(false), json!("false"), json!(1), json!("yes"), json!([true])] {
            let claims = with_email(json!({ "email_verified": verified }));
            assert_eq!(read(&claims, None), Err(Unfit::NotVerified), "{claims:?}");
        }
    }

    #[test]
    fn without_a_usable_address_nobody_is_known() {
        for (value, expected) in [
            (json!({}), Unfit::NoEmail),
            (json!({"email": null}), Unfit::NoEmail),
            (json!({"email": ["ada@example.com"]}), Unfit::NoEmail),
            (json!({"email": "ada"}), Unfit::NotAnEmail),
            (json!({"email": "a\u{0430}@example.com"}), Unfit::NotAnEmail),
        ] {
            assert_eq!(read(&claims(value), None), Err(expected));
        }
    }

    #[test]
    fn roles_are_a_text_or_a_list_wherever_they_stand() {
        has_roles(json!({"groups": ["ops", "dba"]}), "groups", &["dba", "ops"], 0);
        has_roles(json!({"role": "ops"}), "role", &["ops"], 0);
        has_roles(json!({"realm_access": {"roles": ["ops"]}}), "realm_access.roles", &["ops"], 0);
        has_roles(json!({"https://a.b/roles": ["x"]}), "https://a.b/roles", &["x"], 0);
    }

    #[test]
    fn a_claim_that_is_not_there_is_no_role() {
        for value in [json!({}), json!({"a": null}), json!({"a": {"c": 1}}), json!({"a": []})] {
            has_roles(value.clone(), "a.b", &[], 0);
        }
    }

    #[test]
    fn what_is_no_role_is_left_out_and_counted() {
        has_roles(json!({"g": ["ops", "Domain Admins", 7, {"a": 1}]}), "g", &["ops"], 3);
        has_roles(json!({"g": {"ops": {}}}), "g", &[], 1);
        let many: Vec<String> = (100..140).map(|number| format!("r{number}")).collect();
        let found = read(&with_email(json!({ "g": many })), Some("g")).unwrap().roles.unwrap();
        assert_eq!((found.roles.len(), found.left_out), (MAX_ROLES, 40 - MAX_ROLES));
        assert_eq!(found.roles.first().unwrap().as_str(), "r100");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}|[a-z@.]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let object =
                proptest::collection::btree_map("email|a|b|email_verified", inner.clone(), 0..4);
            prop_oneof![
                proptest::collection::vec(inner, 0..4).prop_map(Value::from),
                object.prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_claimed_is_read_or_refused(value in any_json(), name in "[ab.]{0,6}") {
            let Value::Object(claims) = value else { return Ok(()) };
            match read(&claims, Some(&name)) {
                Ok(person) => {
                    let told = claims["email"].as_str().unwrap().to_ascii_lowercase();
                    prop_assert_eq!(person.email.as_str(), told);
                    prop_assert!(claims.get("email_verified") != Some(&Value::Bool(false)));
                    prop_assert!(person.roles.unwrap().roles.len() <= MAX_ROLES);
                }
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}
