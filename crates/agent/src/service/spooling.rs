//! The stream of `run`: each line is a record of the spool, and each batch a segment.
//!
//! Invariant: nothing here waits for a disk sync or for the network.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use forebear_archive::{BatchLimits, Envelope, OpenBatch};
use forebear_events::v1::Timestamp;
use forebear_spool::Writer;

use super::board::Board;
use super::identity::Identity;
use super::notify::Notify;
use super::syncing::Syncing;
use super::uploads::Uploads;
use crate::exit::Exit;
use crate::pipeline::Lines;
use crate::recording::Stream;
use crate::signals::Reload;
use crate::talk::say;
use crate::verdict::Verdict;

/// How far into a line its time is looked for: it is one of the first fields.
const TIME_WITHIN: usize = 256;
/// What stands before the time.
const TIME_KEY: &[u8] = b"\"event_time\":\"";
/// The part of a time that says the hour: `2026-11-24T05`.
const HOUR_LEN: usize = 13;

/// Lines into the spool.
pub(super) struct SpoolStream {
    writer: Writer,
    /// The line that is being made.
    line: Vec<u8>,
    batch: OpenBatch,
    began: Instant,
    hour: HourOfLines,
    board: Arc<Board>,
    /// After a reload, until it is told.
    config_hash: Option<String>,
    service: Option<Service>,
}

/// What runs beside the recording.
pub(super) struct Service {
    pub(super) reload: Reload,
    pub(super) uploads: Uploads,
    pub(super) syncing: Syncing,
    pub(super) identity: Option<Identity>,
    pub(super) notify: Notify,
}

impl SpoolStream {
    pub(super) fn new(writer: Writer, limits: BatchLimits, board: Arc<Board>) -> Self {
        Self {
            writer,
            line: vec![],
            batch: OpenBatch::new(limits),
            began: Instant::now(),
            hour: HourOfLines::default(),
            board,
            config_hash: None,
            service: None,
        }
    }

    /// From now on there is somebody to take what is sealed.
    pub(super) fn serve(&mut self, service: Service) {
        self.service = Some(service);
    }

    fn seal(&mut self) {
        self.writer.seal();
        self.batch.clear();
    }

    fn flush(&mut self) {
        let flushed = self.writer.flush();
        if flushed.rejected > 0 || flushed.dropped.records > 0 {
            self.board.admit();
        }
    }
}

impl Lines for SpoolStream {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.line
    }

    fn line_is_complete(&mut self) {
        let time = self.hour.of(&self.line);
        if self.batch.closes_before(time, self.line.len()).is_some() {
            self.seal();
        }
        self.writer.append(&self.line);
        self.batch.add(time, self.line.len(), self.began.elapsed());
        self.line.clear();
    }
}

impl Stream for SpoolStream {
    fn push(&mut self) {
        self.flush();
        if self.batch.due(self.began.elapsed()).is_some() {
            self.seal();
        }
    }

    fn attend(&mut self) {
        if let Some(news) = self.board.take_news() {
            self.batch.set_limits(news.limits);
            self.config_hash = Some(news.config_hash);
        }
        if let Some(service) = &mut self.service {
            service.notify.attend();
            if service.reload.is_asked() {
                Notify::reloading();
                service.uploads.reload();
            }
        }
    }

    fn count(&self, counters: &mut BTreeMap<&'static str, u64>) {
        counters.extend(self.board.counters());
    }

    fn has_lost(&mut self) -> bool {
        self.board.take_admission()
    }

    fn reconfigured(&mut self) -> Option<String> {
        self.config_hash.take()
    }

    fn next_verdict(&mut self) -> Option<Verdict> {
        self.service.as_ref()?.identity.as_ref()?.next()
    }

    fn publish(&mut self, counters: &dyn Fn() -> BTreeMap<&'static str, u64>) {
        self.board.publish(counters());
    }

    fn conclude(mut self, _: &mut dyn FnMut() -> bool) -> Result<Exit> {
        self.flush();
        self.seal();
        if let Some(service) = self.service {
            if let Some(identity) = service.identity {
                identity.finish();
            }
            service.syncing.finish();
            service.uploads.finish();
        }
        for consumer in self.board.spool().stats().consumers {
            if consumer.backlog_records > 0 {
                say(format_args!(
                    "{}: {} events are left in the spool; the next start delivers them",
                    consumer.name, consumer.backlog_records
                ));
            }
        }
        Ok(Exit::Done)
    }
}

/// The hour of each line, read without parsing all of it.
#[derive(Debug, Default)]
struct HourOfLines {
    /// The text of the hour before.
    text: [u8; HOUR_LEN],
    time: Timestamp,
}

impl HourOfLines {
    /// A time in the hour of this line's event. A line that does not say it belongs to the hour
    /// before.
    fn of(&mut self, line: &[u8]) -> Timestamp {
        let head = line.get(..TIME_WITHIN).unwrap_or(line);
        let at = memchr::memmem::find(head, TIME_KEY);
        let text =
            at.and_then(|at| head.get(at + TIME_KEY.len()..)?.first_chunk::<HOUR_LEN>()).copied();
        match text {
            Some(text) if text == self.text => {}
            _ => {
                if let Ok(envelope) = Envelope::read(line) {
                    self.time = envelope.event_time;
                    self.text = text.unwrap_or_default();
                }
            }
        }
        self.time
    }
}

#[cfg(test)]
mod tests;
