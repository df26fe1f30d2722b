//! Decompression as far as there is room.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, InBuffer, Operation, OutBuffer};

/// The largest window that a Zstandard stream may ask for, as a power of two: 16 MiB.
/// Our own streams need 2 MiB.
const WINDOW_LOG_MAX: u32 = 24;

/// The window of gzip with its header: RFC 1951's 32 KiB.
const GZIP_WINDOW_BITS: u8 = 15;

/// A stream that is not what it has to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Undecodable(pub String);

/// Takes compressed bytes and gives plain ones, in pieces.
///
/// What the stream is, its first bytes say and not the object's name: a service may have
/// decompressed it on the way (Cloud Storage does with gzip, unless told not to).
#[derive(Default)]
pub struct Decoder {
    state: State,
    /// The first bytes, until there are enough to tell.
    head: Vec<u8>,
}

#[derive(Default)]
enum State {
    #[default]
    Unknown,
    Zstd {
        decoder: zstd::stream::raw::Decoder<'static>,
        between: bool,
    },
    Gzip {
        decoder: Decompress,
        between: bool,
    },
    Plain,
}

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes from the front of `input`, which is shortened by what was used, into the spare
    /// capacity of `plain`, which never grows. Both may be left with something to do: call again
    /// with more room while there is input; with no input and room left, all is out.
    pub fn decode(&mut self, input: &mut &[u8], plain: &mut Vec<u8>) -> Result<(), Undecodable> {
        if matches!(self.state, State::Unknown) && !self.recognize(input)? {
            return Ok(());
        }
        if !self.head.is_empty() {
            // At most four bytes, taken once: they precede what is in `input`.
            let head = std::mem::take(&mut self.head);
            let mut rest = head.as_slice();
            while !rest.is_empty() {
                let before = rest.len();
                self.step(&mut rest, plain)?;
                if rest.len() == before {
                    self.head = rest.to_vec();
                    return Ok(());
                }
            }
        }
        self.step(input, plain)
    }

    /// Whether the stream may end here.
    pub fn is_complete(&self) -> bool {
        match &self.state {
            State::Unknown => self.head.is_empty(),
            State::Zstd { between, .. } | State::Gzip { between, .. } => *between,
            State::Plain => self.head.is_empty(),
        }
    }

    /// Collects the first bytes until they tell what follows.
    fn recognize(&mut self, input: &mut &[u8]) -> Result<bool, Undecodable> {
        let wanted = ZSTD_MAGIC.len() - self.head.len();
        let (head, rest) = input.split_at(wanted.min(input.len()));
        self.head.extend_from_slice(head);
        *input = rest;
        self.state = match self.head.as_slice() {
            [] => return Ok(false),
            [b'{', ..] => State::Plain,
            head if head.starts_with(&GZIP_MAGIC) => {
                State::Gzip { decoder: Decompress::new_gzip(GZIP_WINDOW_BITS), between: false }
            }
            head if head == ZSTD_MAGIC => State::Zstd { decoder: zstd()?, between: false },
            head if ZSTD_MAGIC.starts_with(head) || GZIP_MAGIC.starts_with(head) => {
                return Ok(false);
            }
            _ => return Err(Undecodable("it is neither zstd nor gzip nor a JSON object".into())),
        };
        Ok(true)
    }

    fn step(&mut self, input: &mut &[u8], plain: &mut Vec<u8>) -> Result<(), Undecodable> {
        match &mut self.state {
            State::Unknown => Ok(()),
            State::Plain => {
                let room = plain.capacity() - plain.len();
                let (taken, rest) = input.split_at(room.min(input.len()));
                plain.extend_from_slice(taken);
                *input = rest;
                Ok(())
            }
            State::Zstd { decoder, between } => step_zstd(decoder, between, input, plain),
            State::Gzip { decoder, between } => step_gzip(decoder, between, input, plain),
        }
    }
}

fn zstd() -> Result<zstd::stream::raw::Decoder<'static>, Undecodable> {
    let new = || {
        let mut decoder = zstd::stream::raw::Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))?;
        Ok(decoder)
    };
    new().map_err(|error: std::io::Error| Undecodable(format!("no zstd decoder: {error}")))
}

fn step_zstd(
    decoder: &mut zstd::stream::raw::Decoder<'static>,
    between: &mut bool,
    input: &mut &[u8],
    plain: &mut Vec<u8>,
) -> Result<(), Undecodable> {
    // Without input there may still be output held back by an earlier lack of room; between two
    // frames there is none, and asking would begin a new frame.
    if *between && input.is_empty() {
        return Ok(());
    }
    let used = {
        let mut source = InBuffer::around(input);
        let start = plain.len();
        let mut target = OutBuffer::around_pos(plain, start);
        let hint = decoder
            .run(&mut source, &mut target)
            .map_err(|error| Undecodable(format!("broken zstd stream: {error}")))?;
        *between = hint == 0;
        source.pos()
    };
    *input = input.get(used..).unwrap_or_default();
    Ok(())
}

fn step_gzip(
    decoder: &mut Decompress,
    between: &mut bool,
    input: &mut &[u8],
    plain: &mut Vec<u8>,
) -> Result<(), Undecodable> {
    if *between {
        if input.is_empty() {
            return Ok(());
        }
        // RFC 1952: a file is a series of members.
        *decoder = Decompress::new_gzip(GZIP_WINDOW_BITS);
        *between = false;
    }
    let before = decoder.total_in();
    let status = decoder
        .decompress_vec(input, plain, FlushDecompress::None)
        .map_err(|error| Undecodable(format!("broken gzip stream: {error}")))?;
    *between = status == Status::StreamEnd;
    let used = usize::try_from(decoder.total_in() - before).unwrap_or(usize::MAX);
    *input = input.get(used..).unwrap_or_default();
    Ok(())
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Unknown => "Decoder(unknown)",
            State::Zstd { .. } => "Decoder(zstd)",
            State::Gzip { .. } => "Decoder(gzip)",
            State::Plain => "Decoder(plain)",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Compression, Encoder};
    use super::*;

    const ALL: [Compression; 3] = [Compression::Zstd, Compression::Gzip, Compression::None];

    fn encode(compression: Compression, plain: &[u8]) -> Vec<u8> {
        let mut encoder = Encoder::new(compression).unwrap();
        encoder.write(plain).unwrap();
        encoder.finish().unwrap()
    }

    /// Decodes with input in pieces of `piece` and room for `room` at a time.
    fn decode(stored: &[u8], piece: usize, room: usize) -> Result<Vec<u8>, Undecodable> {
        let mut decoder = Decoder::new();
        let mut all = Vec::new();
        let mut plain = Vec::with_capacity(room);
        let capacity = plain.capacity();
        for piece in stored.chunks(piece) {
            let mut input = piece;
            loop {
                plain.clear();
                let before = input.len();
                decoder.decode(&mut input, &mut plain)?;
                assert_eq!(plain.capacity(), capacity, "the room never grows");
                all.extend_from_slice(&plain);
                if input.len() == before && plain.len() < capacity {
                    break;
                }
            }
        }
        if decoder.is_complete() { Ok(all) } else { Err(Undecodable("cut".into())) }
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        let plain = "{\"a\":1}\n".repeat(1000);
        for compression in ALL {
            let (once, again) =
                (encode(compression, plain.as_bytes()), encode(compression, plain.as_bytes()));
            assert_eq!(once, again);
        }
    }

    #[test]
    fn a_stream_that_expands_enormously_comes_in_pieces() {
        let mut plain = vec![b' '; 64 << 20];
        plain[0] = b'{';
        for compression in [Compression::Zstd, Compression::Gzip] {
            let stored = encode(compression, &plain);
            assert!(stored.len() < plain.len() / 64, "{}", stored.len());
            assert_eq!(decode(&stored, stored.len(), 4096).unwrap().len(), plain.len());
        }
    }

    #[test]
    fn a_window_beyond_the_limit_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(27).unwrap();
        std::io::Write::write_all(&mut encoder, &vec![b'x'; 32 << 20]).unwrap();
        let stored = encoder.finish().unwrap();
        let error = decode(&stored, stored.len(), 1 << 20).unwrap_err();
        assert!(error.0.contains("zstd"), "{error}");
    }

    #[test]
    fn a_cut_stream_is_not_complete() {
        let plain = "{\"a\":1}\n".repeat(100);
        for compression in [Compression::Zstd, Compression::Gzip] {
            let stored = encode(compression, plain.as_bytes());
            assert!(decode(&stored[..stored.len() - 1], 7, 64).is_err());
        }
    }

    #[test]
    fn several_gzip_members_are_one_stream() {
        let mut stored = encode(Compression::Gzip, b"{\"a\":1}\n");
        stored.extend(encode(Compression::Gzip, b"{\"a\":2}\n"));
        assert_eq!(decode(&stored, 5, 16).unwrap(), b"{\"a\":1}\n{\"a\":2}\n");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            mut plain in proptest::collection::vec(any::<u8>(), 0..5000),
            piece in 1usize..700, room in 8usize..300,
        ) {
            plain.insert(0, b'{');
            for compression in ALL {
                let stored = encode(compression, &plain);
                prop_assert_eq!(decode(&stored, piece, room).unwrap(), plain.clone());
            }
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0usize..4, piece in 1usize..9,
        ) {
            let magic: &[u8] = [&ZSTD_MAGIC[..], &GZIP_MAGIC, b"{", b""][kind];
            bytes.splice(0..0, magic.iter().copied());
            let _ = decode(&bytes, piece, 64);
        }

        #[test]
        fn a_flipped_byte_is_found(at: proptest::sample::Index, bit in 0u8..8) {
            let plain: String = (0..300).map(|n| format!("{{\"a\":{n}}}\n")).collect();
            let mut stored = encode(Compression::Zstd, plain.as_bytes());
            let at = at.index(stored.len());
            stored[at] ^= 1 << bit;
            // Bytes that mean nothing, such as a reserved bit, may still give the same text.
            if let Ok(read) = decode(&stored, 64, 256) {
                prop_assert_eq!(read, plain.as_bytes());
            }
        }
    }
}
