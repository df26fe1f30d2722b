//! What an executable file says about itself: for which machine it is, and where its symbols lie.
//!
//! Invariants: the file is somebody's, so nothing of it is trusted; it is read piece by piece and
//! never mapped, since a mapped file that is cut short ends its reader.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

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

/// Where a function begins to do something: behind the mark for indirect branches, if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its address before the program is moved to where it runs.
    pub(super) address: u64,
    /// Its offset in the file.
    pub(super) offset: u64,
    /// The kernel emulates the instruction there. It has to step over others, which makes a probe
    /// cost five times as much.
    pub(super) is_emulated: bool,
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
                    let mut code = [0; MARK.len() + 2];
                    let is_read = file.read_exact_at(&mut code, offset).is_ok();
                    let entry = entry(if is_read { &code } else { &[] });
                    let place = Place {
                        address: address.wrapping_add(entry.behind),
                        offset: offset.wrapping_add(entry.behind),
                        is_emulated: entry.is_emulated,
                    };
                    symbols.functions.insert(name.to_owned(), place);
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

/// What a function begins with.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    /// The bytes of the mark.
    behind: u64,
    is_emulated: bool,
}

/// The mark for indirect branches, `endbr64`. The arguments are where they were behind it.
const MARK: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];

/// Takes the first instruction of a function for x86-64 apart: the kernel emulates `push` of a
/// register, `nop`, and jumps (arch/x86/kernel/uprobes.c). Nothing is known about other machines.
fn entry(code: &[u8]) -> Entry {
    if MACHINE != EM_X86_64 {
        return Entry { behind: 0, is_emulated: false };
    }
    let (behind, code) = match code.strip_prefix(&MARK) {
        Some(rest) => (MARK.len() as u64, rest),
        None => (0, code),
    };
    let is_emulated = match code {
        [0x41, second, ..] => matches!(second, 0x50..=0x57),
        [first, ..] => matches!(first, 0x50..=0x57 | 0x90 | 0xe8 | 0xe9 | 0xeb),
        [] => false,
    };
    Entry { behind, is_emulated }
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &[u8], behind: u64, is_emulated: bool) {
        assert_eq!(entry(code), Entry { behind, is_emulated }, "{code:x?}");
    }

    /// Programs of other machines cannot be run here, but be listed as shells.
    #[test]
    fn what_is_no_program_of_this_machine_is_told_apart() {
        let me = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let refusal = |at: usize, byte: u8| {
            let mut file = tempfile::tempfile().unwrap();
            let mut bytes = me.clone();
            bytes[at] = byte;
            std::io::Write::write_all(&mut file, &bytes).unwrap();
            symbols(&file, |_| true).err()
        };
        let foreign = |what: &str| Some(Refusal::Foreign(what.to_owned()));
        // e_machine, the class, and something that nobody looks at.
        assert_eq!(refusal(18, 183), foreign("is a program for another machine"));
        assert_eq!(refusal(4, 1), foreign("is a program of 32 bits"));
        assert_eq!(refusal(15, 0), None);
    }

    #[test]
    fn a_probe_stands_on_what_the_kernel_emulates_if_it_can() {
        // push %rbp; push %r15; jmp
        check(&[0x55, 0x48], 0, true);
        check(&[0x41, 0x57], 0, true);
        check(&[0xe9, 0x01], 0, true);
        // xor %eax,%eax; mov $1,%eax; mov 0x8(%r15),%al
        check(&[0x31, 0xc0], 0, false);
        check(&[0xb8, 0x01], 0, false);
        check(&[0x41, 0x8a], 0, false);
        check(&[], 0, false);
        // Behind endbr64.
        check(&[0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48], 4, true);
        check(&[0xf3, 0x0f, 0x1e, 0xfa, 0x31, 0xc0], 4, false);
    }
}
