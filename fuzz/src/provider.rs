//! What an OpenID provider answers.
//!
//! Promise: no answer makes its readers panic.

/// Reads it as each of the answers that there are.
pub fn check(bytes: &[u8]) {
    forebear_oidc::read_anything(bytes);
}
