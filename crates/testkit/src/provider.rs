//! A real OpenID provider on loopback, and people with browsers at its pages.
//!
//! It is the package `oidc-provider` of npm, in the version of `provider/package-lock.json`; the
//! program around it, `provider/provider.mjs`, says who exists, and misbehaves on demand.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::authority::Authority;
use crate::means::Means;
use crate::must::Must;
use crate::process::Owned;

/// What it needs of the machine.
pub const PROVIDER: &[Means] = &[
    Means::Program("node"),
    Means::Program("python3"),
    Means::NodePackage(concat!(env!("CARGO_MANIFEST_DIR"), "/provider"), "oidc-provider"),
];

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/provider/provider.mjs");
const BROWSER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/provider/browser.py");

/// The client that has a secret.
pub const CLIENT: &str = "forebear";
/// Its secret.
pub const SECRET: &str = "a secret: with %signs & more";
/// The client that has none.
pub const PUBLIC_CLIENT: &str = "public";
/// The claim that holds roles, in the order in which they are recorded, and one that is no role.
pub const ROLES_CLAIM: &str = "realm_access.roles";
/// The roles of everybody whose address does not begin with `nogroups`.
pub const ROLES: [&str; 2] = ["ops", "team/web"];

/// How a provider differs from the usual.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long a code is good.
    pub life: Duration,
    /// Whether claims are in the ID token too, and not only told on demand.
    pub has_token_claims: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { life: Duration::from_secs(600), has_token_claims: false }
    }
}

/// A running provider, ended when dropped.
#[derive(Debug)]
pub struct Provider {
    server: Owned,
    issuer: String,
    /// The file of the authority that people's browsers trust besides.
    root: Option<PathBuf>,
}

impl Provider {
    /// Starts one. The caller has asked for [`PROVIDER`].
    pub fn start(options: Options) -> Self {
        Self::launch(options, None)
    }

    /// Starts one that shows a certificate by this authority, which people's browsers trust.
    pub fn start_encrypted(options: Options, authority: &Authority) -> Self {
        Self::launch(options, Some(authority))
    }

    fn launch(options: Options, authority: Option<&Authority>) -> Self {
        let settings = serde_json::json!({
            "life": options.life.as_secs(),
            "token_claims": options.has_token_claims,
            "tls": authority.map(Authority::server),
        });
        let scheme = if authority.is_some() { "https" } else { "http" };
        let mut command = Command::new("node");
        command.arg(SERVER).arg(settings.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Owned::new("the provider", command.spawn().must("start node"));
        let output = server.child().stdout.take().must("read from node");
        let mut issuer = String::new();
        BufReader::new(output).read_line(&mut issuer).must("learn the provider's address");
        let issuer = issuer.trim().to_owned();
        let is_up = issuer.starts_with(&format!("{scheme}://127.0.0.1:"));
        assert!(is_up, "the provider did not start: {issuer:?}");
        Self { server, issuer, root: authority.map(Authority::root) }
    }

    /// What it calls itself.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Makes it misbehave in a way that `provider.mjs` knows, or `none`; one that is not encrypted.
    pub fn misbehave(&self, fault: &str) {
        let address = self.issuer.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).must("connect to the provider");
        stream.set_read_timeout(Some(Duration::from_secs(10))).must("set a timeout");
        let request = format!(
            "POST /fault/{fault} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Length: 0\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).must("ask the provider to misbehave");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).must("read the provider's answer");
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }

    /// Somebody opens an address that has the code in it, signs in and agrees.
    #[track_caller]
    pub fn approve(&self, address: &str, who: &str) {
        self.browse(address, who, "approve", "approved");
    }

    /// Somebody opens it and says that this is not theirs.
    #[track_caller]
    pub fn deny(&self, address: &str) {
        self.browse(address, "nobody@example.com", "deny", "denied");
    }

    /// Ends it; nobody answers any more.
    pub fn down(&mut self) {
        let _ = self.server.child().kill();
        self.server.wait(Duration::from_secs(30));
    }

    #[track_caller]
    fn browse(&self, address: &str, who: &str, decision: &str, expected: &str) {
        let mut browser = Command::new("python3");
        browser.args([BROWSER, address, who, decision]);
        if let Some(root) = &self.root {
            browser.env("SSL_CERT_FILE", root);
        }
        let output = browser.output().must("run the browser");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.trim() == expected,
            "the browser: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
