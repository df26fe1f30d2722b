//! Every key of the configuration, once: its meaning and its default. What is read, what is
//! suggested for a wrong key, and the commented example all come from here.

use super::oidc::OIDC;
use super::rules::RULE;
use super::{Config, Listen};
use crate::quantity::{Size, Span};

/// A table.
#[derive(Debug)]
pub struct Section {
    /// Its name; empty for the keys above all tables.
    pub name: &'static str,
    /// Whether there may be several.
    pub is_array: bool,
    /// What it is about.
    pub doc: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

/// A key.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it means, as the example says it.
    pub doc: &'static str,
    /// Its default as TOML; `None` if there is none.
    pub default: fn(&Config) -> Option<String>,
    /// A value as TOML, for where there is no default.
    pub example: &'static str,
}

impl Section {
    /// Whether it is the keys above all tables.
    pub fn is_top(&self) -> bool {
        self.name.is_empty()
    }

    /// Whether it is only an example as a whole: what has no default in it has to be written.
    pub fn is_example(&self) -> bool {
        self.is_array || self.is_inner()
    }

    /// Whether it is a table in another.
    pub fn is_inner(&self) -> bool {
        self.name.contains('.')
    }

    /// Its head as it is written.
    pub fn title(&self) -> String {
        match (self.is_top(), self.is_array) {
            (true, _) => "the configuration".to_owned(),
            (_, true) => format!("[[{}]]", self.name),
            (_, false) => format!("[{}]", self.name),
        }
    }

    /// A value of a key that would be right, as TOML.
    pub fn example(&self, key: &str) -> String {
        let key = self.keys.iter().find(|known| known.name == key);
        key.map(Key::value).unwrap_or_default()
    }
}

impl Key {
    /// Its default, or else an example, as TOML.
    pub fn value(&self) -> String {
        (self.default)(&Config::default()).unwrap_or_else(|| self.example.to_owned())
    }
}

/// As a text of TOML.
pub(super) fn quoted(value: impl std::fmt::Display) -> Option<String> {
    Some(format!("{:?}", value.to_string()))
}

/// The keys above all tables.
pub static TOP: Section = Section {
    name: "",
    is_array: false,
    doc: "",
    keys: &[Key {
        name: "shutdown_grace",
        doc: "How long the end waits for uploads. What is left then stays in the spool, and the\n\
              next start delivers it.",
        default: |config| quoted(Span(config.shutdown_grace)),
        example: "",
    }],
};

/// `[record]`.
pub static RECORD: Section = Section {
    name: "record",
    is_array: false,
    doc: "What is recorded and how. A change needs a restart.",
    keys: &[
        Key {
            name: "mode",
            doc: "\"audit\" records programs; \"control\" records builtins of shells and the lines that\n\
                  people type at them too, by probes on the shells themselves, or builtins by\n\
                  their effects.",
            default: |config| quoted(format!("{:?}", config.record.mode).to_lowercase()),
            example: "",
        },
        Key {
            name: "builtins",
            doc: "With mode \"control\": \"interactive\" records the builtins of shells on a terminal,\n\
                  \"all\" those of every shell, and a list such as \"cd,export,source\" these of every\n\
                  shell. \"interactive\" leaves out :, true and false where a probe on them would\n\
                  make scripts slow.",
            default: |config| quoted(&config.record.builtins),
            example: "",
        },
        Key {
            name: "shells",
            doc: "With mode \"control\": only shells whose file is one of these or lies below one.\n\
                  Without it every shell.",
            default: |_| None,
            example: "\"/usr/bin,/opt/bin/bash\"",
        },
        Key {
            name: "buffer_size",
            doc: "The kernel's buffer for what has happened and is not yet read: a power of two.",
            default: |config| quoted(Size(config.record.buffer_bytes.into())),
            example: "",
        },
        Key {
            name: "max_delay",
            doc: "How long an event may wait before it is written. Longer costs the machine less.",
            default: |config| quoted(Span(config.record.max_delay)),
            example: "",
        },
        Key {
            name: "argv_max",
            doc: "How much of a program's arguments is recorded; if there is more, the event says so.",
            default: |config| quoted(Size(config.record.max_argv.into())),
            example: "",
        },
        Key {
            name: "status_interval",
            doc: "How often an AGENT event tells the counters; \"0\" for only at start, loss and stop.",
            default: |config| quoted(Span(config.record.status_interval.unwrap_or_default())),
            example: "",
        },
        Key {
            name: "labels",
            doc: "Your own words for this host, in every event.",
            default: |_| None,
            example: "{ project = \"shop\", team = \"web\" }",
        },
    ],
};

/// `[spool]`.
pub static SPOOL: Section = Section {
    name: "spool",
    is_array: false,
    doc: "Where events wait for their destinations, on a local disk. A change needs a restart.",
    keys: &[
        Key {
            name: "dir",
            doc: "Its folder, for one agent alone.",
            default: |config| quoted(config.spool.dir.display()),
            example: "",
        },
        Key {
            name: "max_bytes",
            doc: "The most that it takes on disk. Recording never waits: when this is reached, or the\n\
                  disk is full, the oldest batches give way, and an AGENT event says how many.",
            default: |config| quoted(Size(config.spool.max_bytes)),
            example: "",
        },
    ],
};

/// `[batch]`.
pub static BATCH: Section = Section {
    name: "batch",
    is_array: false,
    doc: "When a batch closes; one batch becomes one object. It also closes at the end of an hour.",
    keys: &[
        Key {
            name: "max_bytes",
            doc: "At this size, before compression.",
            default: |config| quoted(Size(config.batch.max_bytes)),
            example: "",
        },
        Key {
            name: "max_events",
            doc: "At this number of events.",
            default: |config| Some(config.batch.max_events.to_string()),
            example: "",
        },
        Key {
            name: "max_age",
            doc: "At this age, so that events are at their destinations about so long after they\n\
                  happened.",
            default: |config| quoted(Span(config.batch.max_age)),
            example: "",
        },
    ],
};

/// `[[destination]]`.
pub static DESTINATION: Section = Section {
    name: "destination",
    is_array: true,
    doc: "Where events go: one table for each place. Each has its own position and its own\n\
          retries, and one that is down holds up no other. Credentials are found in each cloud's\n\
          usual way (environment, profile, metadata service) and never stand here.",
    keys: &[
        Key {
            name: "name",
            doc: "What status and metrics call it. The position is kept under this name.",
            default: |_| None,
            example: "\"bucket\"",
        },
        Key {
            name: "url",
            doc: "s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder.",
            default: |_| None,
            example: "\"s3://bucket/prefix\"",
        },
        Key {
            name: "compression",
            doc: "\"zstd\", \"gzip\" or \"none\".",
            default: |_| quoted(forebear_archive::Compression::default()),
            example: "",
        },
        Key {
            name: "endpoint",
            doc: "Where the service answers, if not at its cloud's usual address. For S3 with the\n\
                  bucket in the host name write {bucket} where it goes.",
            default: |_| None,
            example: "\"https://objects.example.com\"",
        },
        Key {
            name: "region",
            doc: "The region of the bucket (S3 only), if the environment does not say it.",
            default: |_| None,
            example: "\"eu-central-1\"",
        },
        Key {
            name: "allow_http",
            doc: "Whether an endpoint without TLS is accepted.",
            default: |_| Some("false".to_owned()),
            example: "",
        },
        Key {
            name: "anonymous",
            doc: "Whether to send no credentials (emulators).",
            default: |_| Some("false".to_owned()),
            example: "",
        },
        Key {
            name: "request_timeout",
            doc: "How long one request may take.",
            default: |_| quoted(Span(super::reading::request_timeout())),
            example: "",
        },
    ],
};

/// `[metrics]`.
pub static METRICS: Section = Section {
    name: "metrics",
    is_array: false,
    doc: "Counters in the text format of Prometheus. Off unless `listen` is set. A change needs a\n\
          restart.",
    keys: &[Key {
        name: "listen",
        doc: "On this machine only: 127.0.0.1:PORT, [::1]:PORT or unix:/PATH.",
        default: |config| config.metrics.as_ref().map(Listen::to_string).and_then(quoted),
        example: "\"127.0.0.1:9464\"",
    }],
};

/// `[status]`.
pub static STATUS: Section = Section {
    name: "status",
    is_array: false,
    doc: "What `forebear-agent status` asks. A change needs a restart.",
    keys: &[Key {
        name: "socket",
        doc: "A Unix socket; only root can open it.",
        default: |config| quoted(config.socket.display()),
        example: "",
    }],
};

/// `[identity]`.
pub static IDENTITY: Section = Section {
    name: "identity",
    is_array: false,
    doc: "How people prove at a login who they are, beyond the Linux user. Accounts are made with\n\
          `forebear-agent users`. A change needs a restart.",
    keys: &[
        Key {
            name: "enabled",
            doc: "Whether logins may ask. Without it none of what follows is looked at.",
            default: |config| Some(config.identity.enabled.to_string()),
            example: "",
        },
        Key {
            name: "socket",
            doc: "The Unix socket at which pam_forebear.so and forebear-gate ask.",
            default: |config| quoted(config.identity.socket.display()),
            example: "",
        },
        Key {
            name: "gate",
            doc: "The program that asks where PAM does not, if it is there: root's, set-group-id. Its\n\
                  group may connect to the socket; otherwise only root may.",
            default: |config| quoted(config.identity.gate.display()),
            example: "",
        },
        Key {
            name: "dir",
            doc: "The folder of the accounts and of who is logged in; for root alone.",
            default: |config| quoted(config.identity.dir.display()),
            example: "",
        },
        Key {
            name: "attempts",
            doc: "How many wrong answers end a login.",
            default: |config| Some(config.identity.attempts.to_string()),
            example: "",
        },
        Key {
            name: "timeout",
            doc: "How long somebody may take to answer.",
            default: |config| quoted(Span(config.identity.timeout)),
            example: "",
        },
        Key {
            name: "valid_for",
            doc: "How long a proof holds. Without it as long as the session.",
            default: |_| None,
            example: "\"12h\"",
        },
    ],
};

/// All tables in the order of the example.
pub static SECTIONS: [&Section; 10] =
    [&TOP, &RECORD, &SPOOL, &BATCH, &DESTINATION, &METRICS, &STATUS, &IDENTITY, &OIDC, &RULE];
