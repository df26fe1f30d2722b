//! An S3 server in this process: the protocol and its signatures by s3s, the objects in memory.
//!
//! The objects are ours and not s3s-fs's, because that keeps attributes in a file named by the
//! encoded key, and keys as long as an archive's make names that no file system takes.

use std::collections::BTreeMap;
use std::ops::Deref;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use s3s::auth::SimpleAuth;
use s3s::dto::*;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::door::{Answering, Door, Service};
use super::shelf::{Item, Kept, PAGE, PartsError, Shared};

/// The access key that it knows.
const KEY_ID: &str = "AKIATESTKIT";
/// Its secret.
const SECRET: &str = "not-a-secret-but-long-enough";

/// A bucket in an S3 server.
#[derive(Debug)]
pub struct S3 {
    door: Door,
    bucket: String,
    objects: Shared,
}

impl S3 {
    /// Starts a server with one bucket.
    pub fn start(bucket: &str) -> Self {
        let objects = Shared::new();
        let mut builder =
            S3ServiceBuilder::new(Bucket { name: bucket.to_owned(), objects: objects.clone() });
        builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let door = Door::open(Protocol(builder.build()));
        Self { door, bucket: bucket.to_owned(), objects }
    }

    /// The bucket as a URL.
    pub fn url(&self) -> String {
        format!("s3://{}", self.bucket)
    }

    /// The environment in which a client finds the right credentials.
    pub fn environment(&self) -> BTreeMap<String, String> {
        credentials(KEY_ID, SECRET)
    }

    /// The environment of a client whose secret is wrong.
    pub fn wrong_environment(&self) -> BTreeMap<String, String> {
        credentials(KEY_ID, "another-secret")
    }

    /// Everything in the bucket, by key.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.objects.objects()
    }

    /// What is kept beside the bytes of an object.
    pub fn kept(&self, key: &str) -> Option<Kept> {
        self.objects.with(|shelf| shelf.items.get(key).map(|item| item.kept.clone()))
    }

    /// Removes an object behind the server's back; says whether it was there.
    pub fn remove(&self, key: &str) -> bool {
        self.objects.with(|shelf| shelf.items.remove(key).is_some())
    }

    /// Replaces an object's bytes behind the server's back; what is kept beside stays.
    pub fn replace(&self, key: &str, bytes: &[u8]) {
        let body = Bytes::copy_from_slice(bytes);
        self.objects.with(|shelf| {
            if let Some(item) = shelf.items.get_mut(key) {
                item.body = body;
            }
        });
    }

    /// Whether the bucket exists; its objects stay while it does not.
    pub fn set_exists(&self, exists: bool) {
        self.objects.with(|shelf| shelf.exists = exists);
    }

    /// Uploads in parts that were begun and neither finished nor given up.
    pub fn unfinished_uploads(&self) -> usize {
        self.objects.with(|shelf| shelf.uploads.len())
    }
}

/// The door, with its address and faults.
impl Deref for S3 {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

fn credentials(id: &str, secret: &str) -> BTreeMap<String, String> {
    [("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret), ("AWS_REGION", "us-east-1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

struct Protocol(S3Service);

impl Service for Protocol {
    fn answer(&self, request: Request<Bytes>) -> Answering {
        let service = self.0.clone();
        Box::pin(async move {
            let answer = match service.call(request.map(s3s::Body::from)).await {
                Ok(answer) => answer,
                Err(error) => return failed(&format!("{error:?}")),
            };
            let (parts, body) = answer.into_parts();
            match body.collect().await {
                Ok(body) => Response::from_parts(parts, body.to_bytes()),
                Err(error) => failed(&error.to_string()),
            }
        })
    }
}

fn failed(text: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text.to_owned()));
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// What s3s asks for.
struct Bucket {
    name: String,
    objects: Shared,
}

impl Bucket {
    fn check(&self, bucket: &str) -> S3Result<()> {
        let exists = bucket == self.name && self.objects.with(|shelf| shelf.exists);
        if exists {
            Ok(())
        } else {
            Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"))
        }
    }

    fn item(&self, key: &str) -> S3Result<Item> {
        let item = self.objects.with(|shelf| shelf.items.get(key).cloned());
        item.ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))
    }
}

async fn bytes_of(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let Some(body) = body else { return Ok(Bytes::new()) };
    match s3s::Body::from(body).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(_) => Err(s3_error!(IncompleteBody)),
    }
}

fn tag(item: &Item) -> Option<ETag> {
    Some(ETag::Strong(item.tag()))
}

fn metadata(item: &Item) -> Option<Metadata> {
    Some(item.kept.metadata.clone().into_iter().collect())
}

fn kept(
    content_type: Option<String>,
    content_encoding: Option<String>,
    cache_control: Option<String>,
    metadata: Option<Metadata>,
) -> Kept {
    let metadata = metadata.unwrap_or_default().into_iter().collect();
    Kept { content_type, content_encoding, cache_control, metadata }
}

#[async_trait]
impl s3s::S3 for Bucket {
    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        self.check(&input.bucket)?;
        let body = bytes_of(input.body).await?;
        let kept =
            kept(input.content_type, input.content_encoding, input.cache_control, input.metadata);
        let only_new = input.if_none_match.is_some_and(|condition| condition.is_any());
        let item = self.objects.with(|shelf| {
            let taken = only_new && shelf.items.contains_key(&input.key);
            (!taken).then(|| shelf.put(&input.key, body, kept))
        });
        let Some(item) = item else {
            return Err(s3_error!(PreconditionFailed, "At least one precondition failed"));
        };
        Ok(S3Response::new(PutObjectOutput { e_tag: tag(&item), ..PutObjectOutput::default() }))
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        self.check(&input.bucket)?;
        let item = self.item(&input.key)?;
        let length = item.body.len() as u64;
        let range = input.range.map(|range| range.check(length)).transpose()?;
        let shown = range.clone().unwrap_or(0..length);
        let at = |position: u64| usize::try_from(position).unwrap_or(usize::MAX);
        let body = item.body.slice(at(shown.start)..at(shown.end));
        Ok(S3Response::new(GetObjectOutput {
            content_length: i64::try_from(body.len()).ok(),
            body: Some(StreamingBlob::from(s3s::Body::from(body))),
            content_range: range
                .map(|range| format!("bytes {}-{}/{length}", range.start, range.end - 1)),
            e_tag: tag(&item),
            last_modified: Some(item.modified.into()),
            metadata: metadata(&item),
            content_type: item.kept.content_type,
            content_encoding: item.kept.content_encoding,
            cache_control: item.kept.cache_control,
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        self.check(&input.bucket)?;
        let item = self.item(&input.key)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: i64::try_from(item.body.len()).ok(),
            e_tag: tag(&item),
            last_modified: Some(item.modified.into()),
            metadata: metadata(&item),
            content_type: item.kept.content_type,
            content_encoding: item.kept.content_encoding,
            cache_control: item.kept.cache_control,
            ..HeadObjectOutput::default()
        }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.check(&request.input.bucket)?;
        self.objects.with(|shelf| shelf.items.remove(&request.input.key));
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.check(&request.input.bucket)?;
        let mut deleted = Vec::new();
        for object in request.input.delete.objects {
            self.objects.with(|shelf| shelf.items.remove(&object.key));
            deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() });
        }
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: Some(deleted),
            ..DeleteObjectsOutput::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        self.check(&input.bucket)?;
        let most = input.max_keys.and_then(|most| usize::try_from(most).ok());
        let page = self.objects.with(|shelf| {
            shelf.page(
                input.prefix.as_deref().unwrap_or_default(),
                input.delimiter.as_deref(),
                input.continuation_token.as_deref().or(input.start_after.as_deref()),
                most.unwrap_or(PAGE).min(PAGE),
            )
        });
        let contents: Vec<Object> = page
            .items
            .into_iter()
            .map(|(key, item)| Object {
                e_tag: tag(&item),
                key: Some(key),
                last_modified: Some(item.modified.into()),
                size: i64::try_from(item.body.len()).ok(),
                ..Object::default()
            })
            .collect();
        let common = page.folders.into_iter().map(|folder| CommonPrefix { prefix: Some(folder) });
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: input.prefix,
            delimiter: input.delimiter,
            key_count: i32::try_from(contents.len()).ok(),
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next,
            contents: Some(contents),
            common_prefixes: Some(common.collect()),
            ..ListObjectsV2Output::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        self.check(&input.bucket)?;
        let kept =
            kept(input.content_type, input.content_encoding, input.cache_control, input.metadata);
        let id = self.objects.with(|shelf| shelf.begin_upload(&input.key, kept));
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        self.check(&input.bucket)?;
        let body = bytes_of(input.body).await?;
        let number = u32::try_from(input.part_number).map_err(|_| s3_error!(InvalidPart))?;
        let tag = self.objects.with(|shelf| shelf.put_part(&input.upload_id, number, body));
        let tag = tag.ok_or_else(|| s3_error!(NoSuchUpload))?;
        let e_tag = Some(ETag::Strong(tag));
        Ok(S3Response::new(UploadPartOutput { e_tag, ..UploadPartOutput::default() }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        self.check(&input.bucket)?;
        let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let wanted: Vec<(u32, String)> = parts
            .into_iter()
            .filter_map(|part| {
                let number = u32::try_from(part.part_number?).ok()?;
                Some((number, part.e_tag?.value().to_owned()))
            })
            .collect();
        match self.objects.with(|shelf| shelf.complete(&input.upload_id, &wanted)) {
            Ok(item) => Ok(S3Response::new(CompleteMultipartUploadOutput {
                bucket: Some(input.bucket),
                key: Some(input.key),
                e_tag: tag(&item),
                ..CompleteMultipartUploadOutput::default()
            })),
            Err(PartsError::NoSuchUpload) => Err(s3_error!(NoSuchUpload)),
            Err(PartsError::InvalidPart) => Err(s3_error!(InvalidPart)),
            Err(PartsError::InvalidPartOrder) => Err(s3_error!(InvalidPartOrder)),
            Err(PartsError::EntityTooSmall) => Err(s3_error!(EntityTooSmall)),
        }
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.check(&request.input.bucket)?;
        let gone = self.objects.with(|shelf| shelf.uploads.remove(&request.input.upload_id));
        gone.ok_or_else(|| s3_error!(NoSuchUpload))?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
