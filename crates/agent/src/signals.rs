//! Signals, through flags only: nothing runs in a handler.
//!
//! | signal | what it does |
//! | --- | --- |
//! | SIGINT, SIGTERM | ends it in order; a second one ends it at once with 128 + its number |
//! | SIGHUP | the same, unless it was ignored when we started (nohup(1)); `run` reloads instead |
//! | SIGPIPE | ignored (Rust's runtime does so): a reader that has gone is seen at the write |
//! | SIGXFSZ | a file size limit is then seen at the write, like a full disk |

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

/// Whether somebody has asked the program to end.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Takes over the signals.
    ///
    /// # Errors
    /// If the kernel refuses a handler.
    pub fn on_signals() -> Result<Self> {
        match is_ignored(SIGHUP) {
            true => Self::on(&[SIGINT, SIGTERM]),
            false => Self::on(&[SIGINT, SIGTERM, SIGHUP]),
        }
    }

    /// Takes over the signals that end a service; SIGHUP is [`Reload`]'s.
    ///
    /// # Errors
    /// If the kernel refuses a handler.
    pub fn on_termination() -> Result<Self> {
        Self::on(&[SIGINT, SIGTERM])
    }

    fn on(signals: &[i32]) -> Result<Self> {
        let stop = Self::default();
        let arrived: Vec<(i32, Arc<AtomicBool>)> =
            signals.iter().map(|signal| (*signal, Arc::default())).collect();
        for (signal, own) in &arrived {
            let attempt = || format!("taking over signal {signal}");
            let ends_if = |flag: &Arc<AtomicBool>| {
                flag::register_conditional_shutdown(*signal, 128 + signal, Arc::clone(flag))
                    .with_context(attempt)
            };
            // In this order: the flag is looked at before this signal sets it, so that the first
            // one asks and the second one ends.
            ends_if(&stop.0)?;
            // Two at the same moment may be handled by two threads, before either has asked: each
            // tells that it is there before it looks for the other, so one of them sees it.
            flag::register(*signal, Arc::clone(own)).with_context(attempt)?;
            for (_, other) in arrived.iter().filter(|(other, _)| other != signal) {
                ends_if(other)?;
            }
            flag::register(*signal, Arc::clone(&stop.0)).with_context(attempt)?;
        }
        flag::register(SIGXFSZ, Arc::default()).context("taking over SIGXFSZ")?;
        Ok(stop)
    }

    /// Whether it was asked for.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Asks for it.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whether somebody has asked for the configuration to be read again.
#[derive(Debug)]
pub struct Reload(Arc<AtomicBool>);

impl Reload {
    /// Takes over SIGHUP.
    ///
    /// # Errors
    /// If the kernel refuses the handler.
    pub fn on_hangup() -> Result<Self> {
        let asked = Arc::default();
        flag::register(SIGHUP, Arc::clone(&asked)).context("taking over SIGHUP")?;
        Ok(Self(asked))
    }

    /// Whether it was asked for since the last question.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed)
    }
}

/// Whether a signal is ignored, as `/proc/self/status` shows (proc(5), SigIgn); not, if it cannot
/// be read.
fn is_ignored(signal: i32) -> bool {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}
