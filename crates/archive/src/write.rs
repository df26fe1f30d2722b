//! Putting a batch: once, whatever happens in between.
//!
//! First the data object, then its manifest, each on the condition that the name is free. A name
//! that is taken is a success if it holds the same events: then an earlier attempt came through
//! and only its answer, or the program, was lost. Otherwise it is [`Kind::Conflict`], and nothing
//! is changed.
//!
//! "The same" is decided by the SHA-256 in the object's metadata and its size; where either is
//! missing or differs, by reading the object.
//!
//! Odd decisions:
//! - An object above [`Multipart::above`](crate::Multipart) is put in parts. The clients know no
//!   condition for that, so the name is looked up first; between look and end only another writer
//!   of the same host, boot, run and numbers could come, which the spool's lock excludes.
//! - A service that refuses conditions as unknown is used the same way.
//! - The first [`AT_ONCE`] batches of an opened place look whether the same batch is there with
//!   another compression: the setting may have been changed between a put and its confirmation,
//!   and the batch must not be there twice.
//! - Files are synced before they count as written: the spool removes what we confirm.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions,
    PutPayload,
};

use crate::compress::Compression;
use crate::digest::Digest;
use crate::error::{Error, Kind, Result};
use crate::layout::{EVENTS, ObjectKey};
use crate::lines::ReadLimits;
use crate::manifest::{MAX_MANIFEST, Manifest};
use crate::pack::Packed;
use crate::store::Archive;

const PUT: &str = "write the object";
const PUT_MANIFEST: &str = "write the manifest";
const COMPARE: &str = "compare the object that is there already,";

/// The metadata in which an object carries the SHA-256 of its plain bytes.
pub(crate) const SHA256: &str = "sha256";

/// How many objects a writer may be ahead of the last batch that it knows to be whole. Manifests
/// are put in order, so that the chain has no hole at any moment.
pub const AT_ONCE: usize = 4;

/// How a batch came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was written now.
    Written,
    /// An earlier attempt had written it.
    AlreadyThere,
}

/// A batch whose object is at its destination; its manifest is not, or not known to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "without its manifest the batch is not part of the chain"]
pub struct Placed {
    manifest: Manifest,
    outcome: Outcome,
}

/// A batch that is at its destination, with its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The name under which it is there.
    pub key: ObjectKey,
    /// How it came to be there.
    pub outcome: Outcome,
    /// Its size as stored, in bytes.
    pub stored_bytes: u64,
    /// Its size before compression, in bytes.
    pub plain_bytes: u64,
    /// Number of its events.
    pub events: u64,
}

impl Archive {
    /// Puts a batch and its manifest. Safe to repeat after any error and after a crash, with the
    /// same lines and the same previous link.
    ///
    /// Returns when both are there (and, in a folder, on the disk). What the error says about
    /// repeating, [`Backoff`](crate::Backoff) knows.
    pub async fn put_batch(&self, packed: &Packed) -> Result<Receipt> {
        let placed = self.put_object(packed).await?;
        self.put_manifest(placed).await
    }

    /// The first half of [`Archive::put_batch`]. Up to [`AT_ONCE`] objects of one writer may be
    /// put at the same time.
    pub async fn put_object(&self, packed: &Packed) -> Result<Placed> {
        let mut key = packed.key();
        let twin = match self.twins_to_look_for().load(Ordering::Relaxed) {
            0 => None,
            _ => self.twin(packed).await?,
        };
        let there = match twin {
            Some(twin) => {
                key = twin;
                Some(self.compare(&key, packed).await?)
            }
            None => self.place_object(packed).await?,
        };
        let fewer = |left: usize| left.checked_sub(1);
        // Zero stays zero.
        let _ = self.twins_to_look_for().fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
        let mut manifest = packed.manifest().clone();
        manifest.object = key.to_string();
        manifest.compression = key.compression;
        manifest.stored_bytes = there.unwrap_or(manifest.stored_bytes);
        let outcome = if there.is_some() { Outcome::AlreadyThere } else { Outcome::Written };
        Ok(Placed { manifest, outcome })
    }

    /// The second half of [`Archive::put_batch`]: after those of all batches before it.
    pub async fn put_manifest(&self, placed: Placed) -> Result<Receipt> {
        let Placed { manifest, outcome } = placed;
        self.place_manifest(&manifest).await?;
        Ok(Receipt {
            key: manifest.key(),
            outcome,
            stored_bytes: manifest.stored_bytes,
            plain_bytes: manifest.plain_bytes,
            events: manifest.event_count,
        })
    }

    /// The same batch with another compression, if it is there.
    async fn twin(&self, packed: &Packed) -> Result<Option<ObjectKey>> {
        let key = packed.key();
        let below = format!("{EVENTS}/{}", key.batch.partition());
        let path = self.path(&below)?;
        let found = self.store().list(Some(&path)).try_filter_map(|meta| {
            let found = ObjectKey::parse(self.below(&meta.location)).ok();
            let found = found.filter(|found| found.batch == key.batch && *found != key);
            async move { Ok(found) }
        });
        let found: Result<Option<ObjectKey>, object_store::Error> =
            std::pin::pin!(found).try_next().await;
        match found.map_err(|error| self.error("list the folder of the batch,", &below, error)) {
            // Whoever may only write goes without this look; a folder that is not there is empty.
            Err(error)
                if matches!(
                    error.kind(),
                    Kind::Permission | Kind::NotFound | Kind::Unsupported
                ) =>
            {
                Ok(None)
            }
            other => other,
        }
    }

    /// Puts the data object; the size of the one that holds the same and is there already.
    async fn place_object(&self, packed: &Packed) -> Result<Option<u64>> {
        let key = packed.key();
        let below = key.to_string();
        let attributes = self.attributes(packed);
        match self.put_new(&below, packed.body(), attributes).await {
            Ok(()) => Ok(None),
            Err(error) if error.kind() == Kind::Conflict => {
                self.compare(&key, packed).await.map(Some)
            }
            Err(error) => Err(error),
        }
    }

    /// Puts an object of any size; [`Kind::Conflict`] if the name is taken.
    pub(crate) async fn put_new(
        &self,
        below: &str,
        body: &Bytes,
        attributes: Attributes,
    ) -> Result<()> {
        if body.len() > self.multipart().above {
            return self.look_then_put(below, body, attributes).await;
        }
        match self.put_if_absent(PUT, below, body, attributes.clone()).await {
            Err(error) if error.kind() == Kind::Unsupported => {
                self.look_then_put(below, body, attributes).await
            }
            other => other,
        }
    }

    /// [`Kind::Conflict`] if the name is taken.
    async fn put_if_absent(
        &self,
        operation: &'static str,
        below: &str,
        body: &Bytes,
        attributes: Attributes,
    ) -> Result<()> {
        let path = self.path(below)?;
        let options = PutOptions { mode: PutMode::Create, attributes, ..PutOptions::default() };
        let put = self.store().put_opts(&path, body.clone().into(), options).await;
        put.map_err(|error| self.error(operation, below, error))?;
        self.sync(below).await
    }

    /// Like [`Archive::put_if_absent`] without the service's help.
    async fn look_then_put(&self, below: &str, body: &Bytes, attributes: Attributes) -> Result<()> {
        let path = self.path(below)?;
        match self.store().head(&path).await {
            Ok(_) => {
                let detail = "an object of that name is there already";
                return Err(Error::new(Kind::Conflict, PUT, self.subject(below), detail));
            }
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(self.error(PUT, below, error)),
        }
        if body.len() > self.multipart().above {
            self.put_parts(&path, body, attributes).await
        } else {
            let options = PutOptions { attributes, ..PutOptions::default() };
            self.store().put_opts(&path, body.clone().into(), options).await.map(drop)
        }
        .map_err(|error| self.error(PUT, below, error))?;
        self.sync(below).await
    }

    async fn put_parts(
        &self,
        path: &Path,
        body: &Bytes,
        attributes: Attributes,
    ) -> object_store::Result<()> {
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let mut upload = self.store().put_multipart_opts(path, options).await?;
        let put = async {
            let size = self.multipart().part.max(1);
            for start in (0..body.len()).step_by(size) {
                let part = body.slice(start..body.len().min(start + size));
                upload.put_part(PutPayload::from_bytes(part)).await?;
            }
            upload.complete().await.map(drop)
        };
        let done = put.await;
        if done.is_err() {
            // Parts cost money until they are removed; if that fails too, the bucket's rule for
            // unfinished uploads has to.
            let _ = upload.abort().await;
        }
        done
    }

    /// Whether the object that is there holds the batch: its size; if not, says how it differs.
    async fn compare(&self, key: &ObjectKey, packed: &Packed) -> Result<u64> {
        let below = key.to_string();
        let path = self.path(&below)?;
        let ours = packed.manifest();
        let options = GetOptions { head: true, ..GetOptions::default() };
        let head = self.store().get_opts(&path, options).await;
        let head = head.map_err(|error| self.error(COMPARE, &below, error))?;
        let said = head.attributes.get(&Attribute::Metadata(SHA256.into()));
        let said = said.and_then(|value| value.parse::<Digest>().ok());
        if said == Some(ours.sha256) && *key == packed.key() && head.meta.size == ours.stored_bytes
        {
            return Ok(head.meta.size);
        }
        // Metadata may be missing or wrong, and another version of a compressor gives another
        // size; the events themselves decide.
        let limits =
            ReadLimits { max_plain: ours.plain_bytes.saturating_add(1), ..ReadLimits::default() };
        let found = match self.digest(&below, &limits).await {
            Ok(found) => Some(found),
            Err(error) if matches!(error.kind(), Kind::Damaged | Kind::TooLarge) => None,
            Err(error) => return Err(error),
        };
        if found == Some(ours.sha256) {
            return Ok(head.meta.size);
        }
        let found = found.map_or("cannot be read".to_owned(), |found| format!("has {found}"));
        let detail = format!(
            "an object of that name is there already and holds something else: this batch has \
             SHA-256 {}, that object {found}",
            ours.sha256
        );
        Err(Error::new(Kind::Conflict, PUT, self.subject(&below), detail).with_remedy(
            "nothing was changed; find out who else writes there, or move that object away",
        ))
    }

    async fn place_manifest(&self, manifest: &Manifest) -> Result<()> {
        let below = manifest.batch().manifest_path();
        let body = Bytes::from(manifest.line());
        let attributes = match self.keeps_attributes() {
            true => [(Attribute::ContentType, "application/json")].into_iter().collect(),
            false => Attributes::new(),
        };
        let put = self.put_if_absent(PUT_MANIFEST, &below, &body, attributes.clone()).await;
        let put = match put {
            Err(error) if error.kind() == Kind::Unsupported => {
                self.look_then_put(&below, &body, attributes).await
            }
            other => other,
        };
        match put {
            Err(error) if error.kind() == Kind::Conflict => {}
            other => return other,
        }
        let path = self.path(&below)?;
        let there = self.read_small(&path, &below, PUT_MANIFEST, MAX_MANIFEST).await?;
        match Manifest::read(&there) {
            Ok(there) if there.is_about_the_same(manifest) => Ok(()),
            _ => {
                let detail = "a manifest of that name is there already and says something else";
                Err(Error::new(Kind::Conflict, PUT_MANIFEST, self.subject(&below), detail)
                    .with_remedy("nothing was changed; `forebear verify` tells more"))
            }
        }
    }

    fn attributes(&self, packed: &Packed) -> Attributes {
        let mut attributes = Attributes::new();
        if !self.keeps_attributes() {
            return attributes;
        }
        let manifest = packed.manifest();
        attributes.insert(Attribute::ContentType, "application/x-ndjson".into());
        if let Some(encoding) = manifest.compression.content_encoding() {
            attributes.insert(Attribute::ContentEncoding, encoding.into());
        }
        if manifest.compression == Compression::Gzip {
            // Cloud Storage would decompress on the way out, and then knows no length.
            attributes.insert(Attribute::CacheControl, "no-transform".into());
        }
        // Underscores, because Azure's names have to be identifiers.
        let mut say = |name: &'static str, value: String| {
            attributes.insert(Attribute::Metadata(name.into()), value.into());
        };
        say("event_count", manifest.event_count.to_string());
        say("first_time", manifest.first_time.to_string());
        say("last_time", manifest.last_time.to_string());
        say("schema_version", manifest.schema_version.clone());
        say(SHA256, manifest.sha256.to_string());
        say("chain_sha256", manifest.chain_sha256.to_string());
        if let Some(previous) = manifest.previous_sha256 {
            say("previous_sha256", previous.to_string());
        }
        attributes
    }

    /// Waits until a file and its folders are on the disk.
    async fn sync(&self, below: &str) -> Result<()> {
        let Some(folder) = self.folder() else { return Ok(()) };
        let (top, file) = (folder.to_owned(), folder.join(below));
        let synced = tokio::task::spawn_blocking(move || {
            fs_err::File::open(&file)?.sync_all()?;
            // The entries of the folders that the put may have made.
            for folder in file.ancestors().skip(1) {
                fs_err::File::open(folder)?.sync_all()?;
                if folder == top {
                    break;
                }
            }
            Ok(())
        });
        let synced = synced.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        synced.map_err(|error: std::io::Error| {
            Error::new(Kind::Local, "sync to disk", self.subject(below), error.to_string())
                .with_remedy("check free space and the file system's health")
                .with_source(error)
        })
    }
}
