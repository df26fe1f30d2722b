//! Reading objects that are not as they should be: bounded, and never more than is good.

use forebear_archive::{Archive, Compression, Kind, ObjectKey, Packer, ReadLimits, StoredObject};
use object_store::ObjectStoreExt;

use crate::lines::Host;

/// Puts bytes under a name that promises a compression.
async fn stored(bytes: Vec<u8>, compression: Compression) -> (Archive, StoredObject) {
    let archive = Archive::memory("m");
    let batch = Host::new(1).batch(1).key().batch;
    let object = StoredObject { key: ObjectKey { batch, compression }, size: bytes.len() as u64 };
    let path = object_store::path::Path::parse(object.key.to_string()).unwrap();
    archive.object_store().0.put(&path, bytes.into()).await.unwrap();
    (archive, object)
}

/// The lines before the error, and its kind and text.
async fn read(
    bytes: impl Into<Vec<u8>>,
    compression: Compression,
    limits: ReadLimits,
) -> (u64, Option<(Kind, String)>) {
    let (archive, object) = stored(bytes.into(), compression).await;
    let mut lines = archive.lines(&object, &limits).await.unwrap();
    loop {
        match lines.next().await {
            Ok(Some(_)) => {}
            Ok(None) => return (lines.count(), None),
            Err(error) => return (lines.count(), Some((error.kind(), error.to_string()))),
        }
    }
}

async fn damaged(bytes: impl Into<Vec<u8>>, compression: Compression, lines: u64, part: &str) {
    let (read, error) = read(bytes, compression, ReadLimits::default()).await;
    let (kind, text) = error.unwrap();
    assert_eq!((read, kind), (lines, Kind::Damaged), "{text}");
    assert!(text.contains(part), "{text}");
}

/// The stored form of lines.
fn packed(lines: &[String], compression: Compression) -> Vec<u8> {
    let mut packer = Packer::new(compression).unwrap();
    lines.iter().for_each(|line| packer.push(line.as_bytes()).unwrap());
    packer.finish(None).unwrap().body().to_vec()
}

#[tokio::test]
async fn an_object_without_bytes_has_no_lines() {
    assert_eq!(read(b"", Compression::Zstd, ReadLimits::default()).await, (0, None));
}

#[tokio::test]
async fn a_last_line_without_an_end_is_not_given() {
    damaged(b"{}\n{}\n{\"a\"", Compression::None, 2, "last line").await;
}

#[tokio::test]
async fn bytes_that_are_nothing_known_are_refused() {
    damaged(b"PK\x03\x04 something", Compression::Zstd, 0, "neither").await;
}

#[tokio::test]
async fn a_stream_that_is_cut_gives_what_came_before() {
    let lines = Host::new(1).lines(50_000);
    for compression in [Compression::Zstd, Compression::Gzip] {
        let mut bytes = packed(&lines, compression);
        bytes.truncate(bytes.len() - 10);
        let (read, error) = read(bytes, compression, ReadLimits::default()).await;
        assert_eq!(error.unwrap().0, Kind::Damaged);
        assert!(read > 10_000 && read <= 50_000, "{read}");
    }
}

#[tokio::test]
async fn an_object_that_a_service_decompressed_on_the_way_is_read() {
    let lines = Host::new(1).lines(3);
    let plain = packed(&lines, Compression::None);
    assert_eq!(read(plain, Compression::Gzip, ReadLimits::default()).await, (3, None));
}

#[tokio::test]
async fn a_line_beyond_the_limit_is_refused() {
    let limits = ReadLimits { max_line: 1 << 20, ..ReadLimits::default() };
    let mut bytes = b"{}\n{".to_vec();
    bytes.resize(3 << 20, b' ');
    let (read, error) = read(bytes, Compression::None, limits).await;
    let (kind, text) = error.unwrap();
    assert_eq!((read, kind), (1, Kind::TooLarge), "{text}");
    assert!(text.contains("line is longer"), "{text}");
}

#[tokio::test]
async fn an_object_that_expands_beyond_the_limit_is_refused() {
    let limits = ReadLimits { max_plain: 8 << 20, ..ReadLimits::default() };
    let mut host = Host::new(1);
    let lines: Vec<String> = (0..100).map(|_| host.line(&" ".repeat(1 << 20))).collect();
    let bytes = packed(&lines, Compression::Zstd);
    assert!(bytes.len() < 1 << 20);
    let (read, error) = read(bytes, Compression::Zstd, limits).await;
    let (kind, text) = error.unwrap();
    assert_eq!(kind, Kind::TooLarge, "{text}");
    assert!(read <= 8, "{read}");
}

#[tokio::test]
async fn an_object_that_is_not_there_is_not_found() {
    let (_, object) = stored(Vec::new(), Compression::None).await;
    let empty = Archive::memory("empty");
    let error = empty.lines(&object, &ReadLimits::default()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
}
