//! A certificate authority that only this test knows, and a server's certificate by it.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::account::run;
use crate::must::Must;

/// What makes keys and certificates.
pub const OPENSSL: &str = "openssl";

/// Keys of an elliptic curve, which are made at once.
const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/// An authority with one server, 127.0.0.1.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

impl Authority {
    /// Makes both. The caller has asked for [`OPENSSL`].
    pub fn new() -> Self {
        let authority = Self { folder: tempfile::tempdir().must("make the authority's folder") };
        let request = |subject: &str, name: &str| {
            let mut command = Command::new(OPENSSL);
            command.args(["req", "-x509", "-days", "2", "-subj", subject]).args(KEY);
            command.arg("-keyout").arg(authority.key(name));
            command.arg("-out").arg(authority.certificate(name));
            command
        };
        let mut root = request("/CN=an authority of a test", "root");
        run(root.args(["-addext", "keyUsage=critical,keyCertSign"]), "make an authority");
        let mut server = request("/CN=127.0.0.1", "server");
        server.arg("-CA").arg(authority.certificate("root"));
        server.arg("-CAkey").arg(authority.key("root"));
        server.args(["-addext", "subjectAltName=IP:127.0.0.1"]);
        server.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        run(&mut server, "make a server's certificate");
        authority
    }

    /// The authority's own certificate, in PEM.
    pub fn root(&self) -> PathBuf {
        self.certificate("root")
    }

    /// The server's certificate and its key, in PEM.
    pub fn server(&self) -> [PathBuf; 2] {
        [self.certificate("server"), self.key("server")]
    }

    fn certificate(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.pem"))
    }

    fn key(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.key"))
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
