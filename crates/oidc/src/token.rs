//! An ID token: signed by one of the provider's keys, for this client, and in time (OpenID Connect
//! Core 1.0, 3.1.3.7).

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{DecodingKey, Header, Validation, decode, decode_header};

use crate::address::Issuer;
use crate::claims::Claims;
use crate::signature::{self, ACCEPTED};

/// The longest token, in bytes.
const LONGEST: usize = 64 << 10;
/// The most keys that are tried.
const MOST_KEYS: usize = 32;
/// By how much the clocks of provider and host may differ, in seconds.
const CLOCKS: u64 = 60;

/// What it claims; the text says why it counts for nothing.
pub(crate) fn check(
    token: &str,
    keys: &[u8],
    issuer: &Issuer,
    client: &str,
) -> Result<Claims, &'static str> {
    signature::install();
    if token.len() > LONGEST {
        return Err("the ID token is too long");
    }
    let header = decode_header(token).map_err(|_| "the ID token is no signed token")?;
    if !ACCEPTED.contains(&header.alg) {
        return Err("the ID token is not signed by a public key");
    }
    if header.crit.is_some() {
        return Err("the ID token demands something that is not understood");
    }
    let keys: JwkSet = serde_json::from_slice(keys).map_err(|_| "the keys cannot be read")?;
    let mut validation = Validation::new(header.alg);
    validation.leeway = CLOCKS;
    validation.validate_nbf = true;
    validation.set_issuer(&[issuer.as_str()]);
    validation.set_audience(&[client]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let mut problem = "the ID token is signed by none of the provider's keys";
    for key in keys.keys.iter().filter(|key| may_be(key, &header)).take(MOST_KEYS) {
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        match decode::<Claims>(token, &key, &validation) {
            Ok(token) => return authorized(token.claims, client),
            Err(error) => match error.kind() {
                // Another key may be it.
                ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => {}
                ErrorKind::ExpiredSignature => problem = "the ID token has expired",
                ErrorKind::ImmatureSignature => problem = "the ID token is not valid yet",
                ErrorKind::InvalidIssuer => problem = "the ID token is of another issuer",
                ErrorKind::InvalidAudience => problem = "the ID token is for another client",
                ErrorKind::MissingRequiredClaim(_) => problem = "the ID token lacks a claim",
                _ => problem = "the ID token cannot be read",
            },
        }
    }
    Err(problem)
}

/// Whether the token may be signed by this key: by its name, if the token names one.
fn may_be(key: &Jwk, header: &Header) -> bool {
    let common = &key.common;
    let is_for_signing = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
    let is_named = header.kid.is_none() || common.key_id == header.kid;
    is_for_signing && is_named
}

/// A token that several clients may read names the one that it is for.
fn authorized(claims: Claims, client: &str) -> Result<Claims, &'static str> {
    match claims.get("azp") {
        None => Ok(claims),
        Some(party) if party.as_str() == Some(client) => Ok(claims),
        Some(_) => Err("the ID token is for another client"),
    }
}

#[cfg(test)]
mod tests;
