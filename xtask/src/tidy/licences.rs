//! The licences of everything that is built: an explicit list.
//!
//! An expression is accepted as it is written by the package; nothing is parsed, so a new way to
//! write an old licence is looked at once by a person. deny.toml says the same in its own words.

use cargo_metadata::Metadata;

/// Accepted licence expressions, as packages write them.
const ACCEPTED: &[&str] = &[
    // rqrr, a reader of QR codes, in tests only.
    "(MIT OR Apache-2.0) AND ISC",
    "(MIT OR Apache-2.0) AND Unicode-3.0",
    "Apache-2.0",
    "Apache-2.0 / MIT",
    "Apache-2.0 AND ISC",
    "Apache-2.0 AND MIT",
    "Apache-2.0 OR BSL-1.0",
    "Apache-2.0 OR ISC OR MIT",
    "Apache-2.0 OR MIT",
    "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
    "Apache-2.0/MIT",
    "BSD-2-Clause",
    "BSD-2-Clause OR Apache-2.0 OR MIT",
    "BSD-3-Clause",
    "BSD-3-Clause AND BSD-2-Clause",
    "BSD-3-Clause AND MIT",
    "BSD-3-Clause OR MIT OR Apache-2.0",
    "BSD-3-Clause/MIT",
    // tiny-keccak, which the SQL engine's hash tables are seeded with while they are compiled.
    "CC0-1.0",
    "ISC",
    // libbpf-rs and libbpf-cargo; taken as BSD-2-Clause.
    "LGPL-2.1-only OR BSD-2-Clause",
    "MIT",
    "MIT OR Apache-2.0",
    // r-efi, on UEFI targets only; taken as MIT.
    "MIT OR Apache-2.0 OR LGPL-2.1-or-later",
    "MIT OR Apache-2.0 OR Zlib",
    "MIT-0",
    "MIT/Apache-2.0",
    "Unicode-3.0",
    "Unlicense OR MIT",
    "Unlicense/MIT",
    "Zlib",
    "Zlib OR Apache-2.0 OR MIT",
];

/// Every package of the lock file whose licence is not in the list.
pub(super) fn check(metadata: &Metadata) -> Vec<String> {
    let packages = metadata.packages.iter();
    packages
        .filter_map(|package| {
            let licence = package.license.as_deref();
            match licence {
                Some(licence) if ACCEPTED.contains(&licence) => None,
                Some(licence) => Some(format!(
                    "{} {}: licence `{licence}` is not in xtask/src/tidy/licences.rs",
                    package.name, package.version
                )),
                None => Some(format!("{} {}: names no licence", package.name, package.version)),
            }
        })
        .collect()
}
