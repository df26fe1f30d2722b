//! What an executable file says about itself: for which machine it is, and where its symbols lie.
//!
//! Invariants: the file is somebody's, so nothing of it is trusted; it is read piece by piece and
//! never mapped, since a mapped file that is cut short ends its reader.

use std::collections::HashMap;
use std::fs::File;

use super::file::Refusal;
use object::elf::{EM_AARCH64, EM_X86_64, Machine, PT_LOAD, STT_FUNC, STT_OBJECT};
use object::read::elf::{ElfFile64, ProgramHeader as _};
use object::{Endianness, FileKind, Object as _, ObjectSymbol as _, ReadCache};

/// The machine that this program runs on, and so the only one whose registers are known.
const MACHINE: Machine = if cfg!(target_arch = "aarch64") { EM_AARCH64 } else { EM_X86_64 };

/// The symbols that were asked for.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    /// Functions: address, and where in the file.
    pub(super) functions: HashMap<String, Place>,
    /// Variables: address.
    pub(super) variables: HashMap<String, u64>,
}

/// Where a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its address before the program is moved to where it runs.
    pub(super) address: u64,
    /// Its offset in the file.
    pub(super) offset: u64,
}

/// Reads the symbols of which `wanted` holds.
///
/// # Errors
/// Why there are none.
pub(super) fn symbols(file: &File, wanted: impl Fn(&str) -> bool) -> Result<Symbols, Refusal> {
    let cache = ReadCache::new(file);
    let damaged =
        |error: object::Error| Refusal::Because(format!("is damaged or truncated ({error})"));
    let foreign = |what: &str| Err(Refusal::Foreign(what.to_owned()));
    match FileKind::parse(&cache).map_err(damaged)? {
        FileKind::Elf64 => {}
        FileKind::Elf32 => return foreign("is a program of 32 bits"),
        _ => return foreign("is no ELF program"),
    }
    let elf = ElfFile64::<Endianness, _>::parse(&cache).map_err(damaged)?;
    let endian = elf.endian();
    if elf.elf_header().e_machine.get(endian) != MACHINE {
        return foreign("is a program for another machine");
    }
    let mut segments = Vec::new();
    for segment in elf.elf_program_headers() {
        if segment.p_type(endian) == PT_LOAD {
            let (start, offset) = (segment.p_vaddr(endian), segment.p_offset(endian));
            segments.push((start, segment.p_filesz(endian), offset));
        }
    }
    let offset_of = |address: u64| {
        segments.iter().find_map(|(start, length, offset)| {
            let inside = address.checked_sub(*start).filter(|inside| inside < length)?;
            offset.checked_add(inside)
        })
    };

    let mut symbols = Symbols::default();
    // The exported ones, which a stripped program has too, and then those that strip(1) removes.
    for symbol in elf.dynamic_symbols().chain(elf.symbols()) {
        let raw = symbol.elf_symbol();
        let address = symbol.address();
        if symbol.is_undefined() || address == 0 {
            continue;
        }
        let Some(name) = symbol.name().ok().filter(|name| wanted(name)) else { continue };
        match raw.st_type() {
            STT_FUNC => {
                if let Some(offset) = offset_of(address) {
                    symbols.functions.insert(name.to_owned(), Place { address, offset });
                }
            }
            STT_OBJECT => {
                symbols.variables.insert(name.to_owned(), address);
            }
            _ => {}
        }
    }
    Ok(symbols)
}
