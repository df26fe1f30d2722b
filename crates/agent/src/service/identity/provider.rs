//! The provider of the configuration, with the files that it names.

use std::io::Read as _;
use std::path::Path;

use anyhow::Result;
use forebear_identity::{AtProvider, Private, Secret};
use forebear_oidc::{Provider, Settings};

use crate::config::oidc::{OidcAccounts, OidcConfig};
use crate::failure::Failure;

/// What the client's secret is.
const SECRET: Private = Private { most: 4096, otherwise: "have the provider make a new secret" };
/// The most certificates, in bytes.
const LONGEST_AUTHORITIES: u64 = 1 << 20;

/// The provider; nobody is asked anything yet.
///
/// # Errors
/// A file cannot be used, or what is in it.
pub(in crate::service) fn open(config: &OidcConfig) -> Result<Provider> {
    let secret = config.client_secret_file.as_deref().map(secret).transpose()?;
    let authorities = config.ca_file.as_deref().map(authorities).transpose()?;
    let settings = Settings {
        issuer: config.issuer.clone(),
        client: config.client_id.clone(),
        secret,
        scopes: config.scopes.clone(),
        roles_claim: config.roles_claim.clone(),
        authorities,
        timeout: config.timeout,
    };
    Ok(Provider::new(settings).map_err(|error| {
        Failure::environment(error.to_string()).remedy("look at [identity.oidc] ca_file")
    })?)
}

/// Who may sign in there.
pub(super) fn people(config: Option<&OidcConfig>) -> AtProvider {
    match config.map(|config| config.accounts) {
        None => AtProvider::Nobody,
        Some(OidcAccounts::Listed) => AtProvider::Listed,
        Some(OidcAccounts::Any) => AtProvider::Anybody,
    }
}

/// The client's secret: the only line of a file for root alone.
fn secret(path: &Path) -> Result<Secret, Failure> {
    let wrong = |reason: &str| {
        let path = path.display();
        Failure::environment(format!("cannot use the secret of the client in {path}: {reason}"))
            .remedy(format!("put it into {path} as the only line, for root alone"))
    };
    let kept = match SECRET.read(path) {
        Ok(Some(kept)) => kept,
        Ok(None) => return Err(wrong("there is no such file")),
        Err(error) => return Err(Failure::environment(format!("the client's secret: {error}"))),
    };
    let text = std::str::from_utf8(kept.expose()).unwrap_or_default().trim_ascii_end();
    match text.is_empty() || text.contains(char::is_control) {
        false => Ok(Secret::new(text.as_bytes().to_vec())),
        true => Err(wrong("it is not one line of text")),
    }
}

fn authorities(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = vec![];
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST_AUTHORITIES + 1).read_to_end(&mut bytes));
    let wrong = |reason: &dyn std::fmt::Display| {
        let path = path.display();
        Failure::environment(format!("cannot use the certificates in {path}: {reason}"))
            .remedy("put certificates in PEM there")
    };
    read.map_err(|error| wrong(&error))?;
    match bytes.len() as u64 <= LONGEST_AUTHORITIES
        && bytes.windows(11).any(|it| it == b"-----BEGIN ")
    {
        true => Ok(bytes),
        false => Err(wrong(&"there are none")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn file(folder: &Path, name: &str, text: &[u8], mode: u32) -> std::path::PathBuf {
        let path = folder.join(name);
        fs_err::write(&path, text).unwrap();
        fs_err::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_secret_is_the_line_of_a_file_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let good = file(folder, "good", b"hunter2\n", 0o600);
        assert_eq!(secret(&good).unwrap().expose(), b"hunter2");
        symlink(&good, folder.join("link")).unwrap();
        for (path, reason) in [
            (file(folder, "open", b"hunter2\n", 0o640), "have the provider make a new secret"),
            (file(folder, "empty", b"\n", 0o600), "not one line"),
            (file(folder, "lines", b"hunter2\nx\n", 0o600), "not one line"),
            (file(folder, "long", &[b'x'; 5000], 0o600), "are more than the 4096"),
            (file(folder, "bytes", b"\xff", 0o600), "not one line"),
            (folder.join("link"), "symbolic link"),
            (folder.join("none"), "no such file"),
            (folder.to_owned(), "not a file"),
        ] {
            let error = secret(&path).unwrap_err().to_string();
            assert!(error.contains(reason) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), "ca", b"hello", 0o644);
        assert!(authorities(&path).unwrap_err().to_string().contains("there are none"));
    }
}
