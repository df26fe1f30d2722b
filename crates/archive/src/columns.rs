//! Objects of columns: copies of batches for questions, beside or instead of them.
//!
//! What is in them is somebody else's business. Here they are put, once, and the batches that they
//! stand for removed, if somebody wants that.

use bytes::Bytes;
use object_store::{Attribute, Attributes, ObjectStoreExt};

use crate::error::{Kind, Result};
use crate::layout::{BatchName, ObjectKey};
use crate::store::Archive;
use crate::write::Outcome;

const REMOVE: &str = "remove the object";

impl Archive {
    /// Puts an object of columns, unless one of its name is there: then nothing is changed, and
    /// whoever asks has to look at what it holds.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn put_columns(&self, batch: &BatchName, body: &Bytes) -> Result<Outcome> {
        let below = batch.columns_path();
        let mut attributes = Attributes::new();
        if self.keeps_attributes() {
            let kind = "application/vnd.apache.parquet";
            attributes.insert(Attribute::ContentType, kind.into());
        }
        match self.put_new(&below, body, attributes).await {
            Ok(()) => Ok(Outcome::Written),
            Err(error) if error.kind() == Kind::Conflict => Ok(Outcome::AlreadyThere),
            Err(error) => Err(error),
        }
    }

    /// Removes an object of events; its manifest stays. One that is gone already is no error.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn remove_object(&self, key: &ObjectKey) -> Result<()> {
        let below = key.to_string();
        let path = self.path(&below)?;
        let removed = self.store().delete(&path).await;
        match removed.map_err(|error| self.error(REMOVE, &below, error)) {
            Err(error) if error.kind() == Kind::NotFound => Ok(()),
            other => other,
        }
    }
}
