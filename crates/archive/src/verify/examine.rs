//! One batch: its object against its manifest, its metadata and itself.

use super::chain::Fact;
use super::report::{Finding, FindingKind};
use super::{Seen, VerifyOptions};
use crate::digest::Digest;
use crate::envelope::sequence;
use crate::error::{Kind, Result};
use crate::layout::{BatchName, ObjectKey};
use crate::lines::Lines;
use crate::manifest::{MAX_MANIFEST, Manifest};
use crate::store::Archive;
use crate::write::SHA256;

const READ_MANIFEST: &str = "read the manifest";

/// What is found of one batch, and what its manifest says about the chain.
type Examined = (Option<Fact>, Vec<Finding>);

impl Archive {
    pub(super) async fn examine(
        &self,
        batch: BatchName,
        seen: Seen,
        options: &VerifyOptions,
    ) -> Result<Examined> {
        let mut findings = Vec::new();
        let manifest = match seen.has_manifest {
            true => self.manifest(&batch, &mut findings).await?,
            false => {
                let path = batch.manifest_path();
                let text = "the object has no manifest";
                findings.push(Finding::of(FindingKind::NoManifest, &batch, path, text));
                None
            }
        };
        match seen.objects.as_slice() {
            [] => {
                let path = manifest.as_ref().map_or(batch.manifest_path(), |m| m.object.clone());
                let text = "its manifest is there and the object is not";
                findings.push(Finding::of(FindingKind::Missing, &batch, path, text));
            }
            [_] => {}
            [(first, _), others @ ..] => findings.extend(others.iter().map(|(other, _)| {
                let key = ObjectKey { batch, compression: *other };
                let text = format!("the same events are there as {first} too");
                Finding::of(FindingKind::Doubled, &batch, key, text)
            })),
        }
        for (compression, size) in &seen.objects {
            let key = ObjectKey { batch, compression: *compression };
            self.object(&key, *size, manifest.as_ref(), options, &mut findings).await?;
        }
        Ok((manifest.as_ref().map(Fact::of), findings))
    }

    async fn manifest(
        &self,
        batch: &BatchName,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<Manifest>> {
        let below = batch.manifest_path();
        let path = self.path(&below)?;
        let mut say = |kind, text: String| findings.push(Finding::of(kind, batch, &below, text));
        let bytes = match self.read_small(&path, &below, READ_MANIFEST, MAX_MANIFEST).await {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == Kind::NotFound => {
                say(FindingKind::NoManifest, "the manifest went away while looking".to_owned());
                return Ok(None);
            }
            Err(error) if error.kind() == Kind::Damaged => {
                say(FindingKind::Altered, error.detail().to_owned());
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let manifest = match Manifest::read(&bytes) {
            Ok(manifest) => manifest,
            Err(error) => {
                say(FindingKind::Altered, format!("the manifest cannot be read: {error}"));
                return Ok(None);
            }
        };
        if manifest.batch() != *batch || manifest.object != manifest.key().to_string() {
            say(FindingKind::Altered, "the manifest is about another object".to_owned());
            return Ok(None);
        }
        if !manifest.has_right_chain() {
            say(
                FindingKind::Altered,
                "the manifest's chain value does not come from what it says".to_owned(),
            );
        }
        Ok(Some(manifest))
    }

    async fn object(
        &self,
        key: &ObjectKey,
        size: u64,
        manifest: Option<&Manifest>,
        options: &VerifyOptions,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let mut say = |kind, text: String| findings.push(Finding::of(kind, &key.batch, key, text));
        if !options.contents {
            // Another version of a compressor may have written the object, but not its manifest.
            if let Some(manifest) = manifest
                && manifest.compression == key.compression
                && manifest.stored_bytes != size
            {
                let text = format!(
                    "it has {size} bytes, and had {} by its manifest",
                    manifest.stored_bytes
                );
                say(FindingKind::Altered, text);
            }
            return Ok(());
        }
        let mut lines = match self.open_lines(&key.to_string(), &options.read, true).await {
            Ok(lines) => lines,
            Err(error) if error.kind() == Kind::NotFound => {
                say(FindingKind::Missing, "the object went away while looking".to_owned());
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let said = lines.metadata(SHA256).map(str::to_owned);
        let mut content = Content::new(key);
        loop {
            match lines.next().await {
                Ok(Some(line)) => content.line(line),
                Ok(None) => break,
                Err(error) if matches!(error.kind(), Kind::Damaged | Kind::TooLarge) => {
                    let text = format!("after {} lines: {}", lines.count(), error.detail());
                    say(FindingKind::Damaged, text);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        content.compare(&lines, manifest, said.as_deref(), &mut say);
        Ok(())
    }
}

/// What the lines of an object say about themselves.
struct Content<'k> {
    key: &'k ObjectKey,
    last: Option<u64>,
    doubled: u64,
    backwards: u64,
    elsewhere: u64,
    unreadable: u64,
}

impl<'k> Content<'k> {
    fn new(key: &'k ObjectKey) -> Self {
        Self { key, last: None, doubled: 0, backwards: 0, elsewhere: 0, unreadable: 0 }
    }

    fn line(&mut self, line: &[u8]) {
        let batch = &self.key.batch;
        let Ok((run, seq)) = sequence(line) else {
            self.unreadable += 1;
            return;
        };
        if run != batch.run || !(batch.first_seq..=batch.last_seq).contains(&seq) {
            self.elsewhere += 1;
            return;
        }
        match self.last {
            Some(last) if seq == last => self.doubled += 1,
            Some(last) if seq < last => self.backwards += 1,
            _ => self.last = Some(seq),
        }
    }

    fn compare(
        &self,
        lines: &Lines,
        manifest: Option<&Manifest>,
        said: Option<&str>,
        say: &mut impl FnMut(FindingKind, String),
    ) {
        let found = lines.digest().unwrap_or_else(|| Digest::of(b""));
        if let Some(manifest) = manifest {
            if manifest.sha256 != found {
                let text = format!(
                    "its lines have SHA-256 {found}, and had {} by its manifest",
                    manifest.sha256
                );
                say(FindingKind::Altered, text);
            } else if manifest.event_count != lines.count() {
                let text = format!(
                    "it has {} lines, and {} by its manifest",
                    lines.count(),
                    manifest.event_count
                );
                say(FindingKind::Altered, text);
            }
        }
        if let Some(said) = said
            && said != found.to_string()
        {
            let text = format!("its lines have SHA-256 {found}, and {said} by its metadata");
            say(FindingKind::Altered, text);
        }
        let counted = [
            (self.unreadable, FindingKind::Damaged, "lines are not events"),
            (self.elsewhere, FindingKind::Altered, "lines are of another run or number"),
            (self.doubled, FindingKind::Doubled, "lines have the number of the line before"),
            (self.backwards, FindingKind::OutOfOrder, "lines have a lower number than before"),
        ];
        for (number, kind, text) in counted {
            if number > 0 {
                say(kind, format!("{number} {text}"));
            }
        }
    }
}
