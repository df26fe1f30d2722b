//! The work in pieces: large files are divided, and pieces spread over partitions.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use crate::scan::blocks::{Piece, is_compressed};
use crate::source::{Body, Format, Object};

/// The size of a piece of a file, in bytes. Large enough that opening it is nothing, small enough
/// that all threads end at the same time.
const PIECE: u64 = 16 << 20;

/// The pieces of some objects, in their order.
pub(super) fn divide(objects: Vec<Object>) -> Vec<Piece> {
    objects.into_iter().flat_map(|object| of(Arc::new(object))).collect()
}

fn of(object: Arc<Object>) -> Vec<Piece> {
    if object.size <= 2 * PIECE || !can_be_divided(&object) {
        return vec![Piece { object, range: None }];
    }
    let starts = (0..object.size.div_ceil(PIECE)).map(|piece| piece * PIECE);
    let ranges = starts.map(|start| start..(start + PIECE).min(object.size));
    ranges.map(|range| Piece { object: Arc::clone(&object), range: Some(range) }).collect()
}

/// Whether lines can be found from anywhere: in files that are not compressed.
fn can_be_divided(object: &Object) -> bool {
    let Body::File(path) = &object.place else { return false };
    if object.format != Format::Lines {
        return false;
    }
    let mut head = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && !is_compressed(&head)
}

/// Spreads pieces over so many partitions at most, as evenly as their sizes allow.
pub(super) fn spread(pieces: Vec<Piece>, partitions: usize) -> Vec<Arc<[Piece]>> {
    let mut spread: Vec<(u64, Vec<Piece>)> =
        vec![(0, Vec::new()); partitions.clamp(1, pieces.len().max(1))];
    for piece in pieces {
        let size = piece.range.as_ref().map_or(piece.object.size, |range| range.end - range.start);
        if let Some((bytes, pieces)) = spread.iter_mut().min_by_key(|(bytes, _)| *bytes) {
            *bytes += size.max(1);
            pieces.push(piece);
        }
    }
    spread.into_iter().map(|(_, pieces)| pieces.into()).collect()
}
