//! The shared files of the AWS tools: `~/.aws/credentials` and `~/.aws/config`.
//!
//! The client underneath knows environment variables, web identity, containers and instances, but
//! not these files; they are read here as the AWS SDKs' reference guide describes ("Shared config
//! and credentials files"). Profiles that need a program, a login page or another role are told
//! as not supported, not skipped in silence.
//!
//! Invariants: the files are read again when they have changed, so that rotated keys are used
//! without a restart; no value of them is in an error or in `Debug`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;

use crate::environment::Environment;

/// The longest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The sections of a file, each with its settings.
pub type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// Reads the text of such a file: sections in brackets, `name = value` lines, comments with `#`
/// or `;`. Indented lines belong to a nested setting and mean nothing here.
pub fn parse(text: &str) -> Sections {
    let mut sections = Sections::new();
    let mut current = None;
    for line in text.lines() {
        let is_nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) || is_nested {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let name = name.trim().to_owned();
            sections.entry(name.clone()).or_default();
            current = Some(name);
        } else if let (Some(section), Some((name, value))) = (&current, line.split_once('=')) {
            // A comment after a value begins with a blank.
            let value = value.split(" #").next().unwrap_or_default();
            let value = value.split(" ;").next().unwrap_or_default().trim();
            let settings = sections.entry(section.clone()).or_default();
            settings.insert(name.trim().to_ascii_lowercase(), value.to_owned());
        }
    }
    sections
}

/// Which files and which profile.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    credentials: Option<PathBuf>,
    config: Option<PathBuf>,
    profile: String,
    /// Whether somebody asked for this profile by name.
    pub(crate) is_named: bool,
}

/// What a profile says.
#[derive(Clone, Default)]
pub(crate) struct Profile {
    settings: BTreeMap<String, String>,
    found: bool,
}

impl Files {
    pub(crate) fn of(environment: &Environment) -> Self {
        let file = |variable, usual| {
            environment.get(variable).map(PathBuf::from).or_else(|| environment.in_home(usual))
        };
        let named = environment.first(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]);
        Self {
            credentials: file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
            config: file("AWS_CONFIG_FILE", ".aws/config"),
            profile: named.unwrap_or("default").to_owned(),
            is_named: named.is_some(),
        }
    }

    pub(crate) fn profile(&self) -> &str {
        &self.profile
    }

    /// The files as a person would name them.
    pub(crate) fn names(&self) -> String {
        let paths = [&self.credentials, &self.config].into_iter().flatten();
        let names: Vec<String> = paths.map(|path| path.display().to_string()).collect();
        names.join(" and ")
    }

    /// Reads the profile: the credentials file wins where both say something.
    pub(crate) fn read(&self) -> std::io::Result<Profile> {
        let mut profile = Profile::default();
        let long = format!("profile {}", self.profile);
        let sections = [
            (&self.config, if self.profile == "default" { "default" } else { long.as_str() }),
            (&self.config, long.as_str()),
            (&self.credentials, self.profile.as_str()),
        ];
        for (file, section) in sections {
            let Some(text) = file.as_deref().map(read_bounded).transpose()?.flatten() else {
                continue;
            };
            if let Some(settings) = parse(&text).remove(section) {
                profile.settings.extend(settings);
                profile.found = true;
            }
        }
        Ok(profile)
    }

    fn stamps(&self) -> [Option<(SystemTime, u64)>; 2] {
        [&self.credentials, &self.config].map(|file| {
            let metadata = fs_err::metadata(file.as_ref()?).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        })
    }
}

/// The text of a file; `None` if there is none.
fn read_bounded(path: &Path) -> std::io::Result<Option<String>> {
    let file = match fs_err::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text)?;
    Ok(Some(text))
}

impl Profile {
    /// Whether a section of that name exists.
    pub(crate) fn is_found(&self) -> bool {
        self.found
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The keys that it holds.
    pub(crate) fn keys(&self) -> Option<AwsCredential> {
        Some(AwsCredential {
            key_id: self.get("aws_access_key_id")?.to_owned(),
            secret_key: self.get("aws_secret_access_key")?.to_owned(),
            token: self.get("aws_session_token").map(str::to_owned),
        })
    }

    /// The way to credentials that it describes and that is not supported here.
    pub(crate) fn unsupported(&self) -> Option<&'static str> {
        const WAYS: [&str; 5] = [
            "sso_session",
            "sso_start_url",
            "credential_process",
            "source_profile",
            "login_session",
        ];
        WAYS.into_iter().find(|way| self.get(way).is_some())
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.settings.keys()).finish()
    }
}

/// Gives the keys of a profile, as they are in the files now.
#[derive(Debug)]
pub(crate) struct ProfileKeys {
    files: Files,
    known: Mutex<Option<Known>>,
}

struct Known {
    stamps: [Option<(SystemTime, u64)>; 2],
    keys: Arc<AwsCredential>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known")
    }
}

impl ProfileKeys {
    pub(crate) fn new(files: Files) -> Self {
        Self { files, known: Mutex::new(None) }
    }

    fn current(&self) -> Result<Arc<AwsCredential>, String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = self.files.stamps();
        if let Some(known) = &*known
            && known.stamps == stamps
        {
            return Ok(known.keys.clone());
        }
        let profile = self.files.read().map_err(|error| error.to_string())?;
        let keys = profile.keys().ok_or_else(|| {
            format!("profile {} of {} has no keys", self.files.profile(), self.files.names())
        })?;
        let keys = Arc::new(keys);
        *known = Some(Known { stamps, keys: keys.clone() });
        Ok(keys)
    }
}

#[async_trait]
impl CredentialProvider for ProfileKeys {
    type Credential = AwsCredential;

    // Two small files of the local disk are looked at; that needs no thread of its own.
    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        self.current().map_err(|text| object_store::Error::Unauthenticated {
            path: self.files.names(),
            source: text.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CREDENTIALS: &str = "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key=s1\n\
        # comment\n[ops]\naws_access_key_id=AKIAOPS ; old\naws_secret_access_key = s2\naws_session_token=t\n";
    const CONFIG: &str = "[default]\nregion = eu-west-1\n[profile ops]\nregion=us-west-2\ns3 =\n  \
        max_concurrent_requests = 20\n[profile sso]\nsso_session = corp\n";

    fn files(profile: Option<&str>) -> (tempfile::TempDir, Files) {
        let dir = tempfile::tempdir().unwrap();
        fs_err::create_dir(dir.path().join(".aws")).unwrap();
        fs_err::write(dir.path().join(".aws/credentials"), CREDENTIALS).unwrap();
        fs_err::write(dir.path().join(".aws/config"), CONFIG).unwrap();
        let home = dir.path().to_str().unwrap().to_owned();
        let mut variables = vec![("HOME", home)];
        variables.extend(profile.map(|profile| ("AWS_PROFILE", profile.to_owned())));
        (dir, Files::of(&Environment::from_iter(variables)))
    }

    #[test]
    fn a_profile_is_put_together_from_both_files() {
        let (_dir, files) = files(Some("ops"));
        let profile = files.read().unwrap();
        let keys = profile.keys().unwrap();
        assert_eq!((keys.key_id.as_str(), keys.secret_key.as_str()), ("AKIAOPS", "s2"));
        assert_eq!(keys.token.as_deref(), Some("t"));
        assert_eq!(profile.get("region"), Some("us-west-2"));
    }

    #[test]
    fn the_default_profile_needs_no_name() {
        let (_dir, files) = files(None);
        let profile = files.read().unwrap();
        assert_eq!(profile.keys().unwrap().key_id, "AKIADEFAULT");
        assert_eq!(profile.get("region"), Some("eu-west-1"));
    }

    #[test]
    fn a_way_that_is_not_supported_is_named() {
        let (_dir, files) = files(Some("sso"));
        let profile = files.read().unwrap();
        assert!(profile.keys().is_none());
        assert_eq!(profile.unsupported(), Some("sso_session"));
    }

    #[test]
    fn a_missing_profile_is_not_found() {
        let (_dir, files) = files(Some("nobody"));
        assert!(!files.read().unwrap().is_found());
    }

    #[test]
    fn rotated_keys_are_used() {
        let (dir, files) = files(None);
        let keys = ProfileKeys::new(files);
        assert_eq!(keys.current().unwrap().secret_key, "s1");
        let rotated = CREDENTIALS.replace("s1", "rotated");
        fs_err::write(dir.path().join(".aws/credentials"), rotated).unwrap();
        assert_eq!(keys.current().unwrap().secret_key, "rotated");
    }

    #[test]
    fn keys_that_have_gone_are_told_without_their_values() {
        let (dir, files) = files(None);
        let keys = ProfileKeys::new(files);
        fs_err::write(dir.path().join(".aws/credentials"), "[default]\nx=AKIADEFAULT").unwrap();
        let text = keys.current().unwrap_err();
        assert!(text.contains("has no keys") && !text.contains("AKIA"), "{text}");
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(\\[|\\]|=|#| |\n|[a-z]|é){0,200}") {
            let _ = parse(&text);
        }
    }
}
