//! Trying a place: write, read back, delete.

use std::time::Duration;

use bytes::Bytes;
use object_store::{ObjectStoreExt, PutMode, PutOptions};
use uuid::Uuid;

use crate::error::{Error, Kind, Result};
use crate::layout::PROBES;
use crate::store::Archive;

const WRITE: &str = "write a probe object to";
const READ: &str = "read back the probe object";
const DELETE: &str = "delete the probe object";

/// What a probe needs at most: three requests with their repetitions, and the credentials.
const REQUESTS: u32 = 8;

/// A place that was tried and works.
#[derive(Debug)]
#[non_exhaustive]
pub struct Probe {
    /// Why the probe object could not be deleted, if so. The agent never deletes anything, so a
    /// bucket that forbids it is a choice and no fault.
    pub left_behind: Option<Error>,
}

impl Archive {
    /// Writes a small object below `probe-v1/`, reads it back and deletes it.
    ///
    /// An error tells credentials, permission, clock, region, bucket and network apart
    /// ([`Error::kind`]) and says what helps. Takes a few request timeouts at most.
    pub async fn probe(&self) -> Result<Probe> {
        let below = format!("{PROBES}/{}", Uuid::new_v4());
        let deadline = self.timeout().saturating_mul(REQUESTS).max(Duration::from_secs(1));
        match tokio::time::timeout(deadline, self.try_out(&below)).await {
            Ok(done) => done,
            Err(_) => Err(Error::new(
                Kind::Timeout,
                WRITE,
                self.subject(&below),
                format!("no answer within {} s", deadline.as_secs()),
            )
            .with_remedy("check the route and the load of the service")),
        }
    }

    async fn try_out(&self, below: &str) -> Result<Probe> {
        let path = self.path(below)?;
        let body = Bytes::from(format!("forebear probe {below}\n"));
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let put = self.store().put_opts(&path, body.clone().into(), options).await;
        match put.map_err(|error| self.error(WRITE, below, error)) {
            // A repetition whose first answer was lost: nobody else makes up this name.
            Err(error) if error.kind() == Kind::Conflict => {}
            // A service that knows no conditions is used without them.
            Err(error) if error.kind() == Kind::Unsupported => {
                let put = self.store().put(&path, body.clone().into()).await;
                put.map_err(|error| self.error(WRITE, below, error))?;
            }
            other => drop(other?),
        }
        let back = self.read_small(&path, below, READ, body.len() as u64).await?;
        if back != body {
            let detail = "it holds other bytes than were written";
            return Err(Error::new(Kind::Damaged, READ, self.subject(below), detail));
        }
        let deleted = self.store().delete(&path).await;
        let left_behind = deleted.err().map(|error| self.error(DELETE, below, error));
        Ok(Probe { left_behind: left_behind.filter(|error| error.kind() != Kind::NotFound) })
    }
}
