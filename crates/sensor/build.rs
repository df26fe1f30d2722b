//! Compiles the eBPF programs.
//!
//! Needs clang in the PATH and nothing else: the headers are the loader library's own and
//! `bpf/kernel.h`. The objects are embedded as they are; no skeleton is generated, since that
//! would bring unsafe code for what is three hooks and two maps.

use std::env;
use std::error::Error;
use std::path::Path;

use libbpf_cargo::SkeletonBuilder;

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    for name in ["process", "running"] {
        let object = Path::new(&out).join(format!("{name}.bpf.o"));
        SkeletonBuilder::new()
            .source(format!("bpf/{name}.bpf.c"))
            .obj(&object)
            .clang_args(["-Ibpf", "-mcpu=v3", "-Wall", "-Werror"])
            .build()
            .map_err(|error| format!("bpf/{name}.bpf.c does not compile: {error:#}"))?;
        let variable = format!("FOREBEAR_{}_OBJECT", name.to_uppercase());
        println!("cargo:rustc-env={variable}={}", object.display());
    }
    println!("cargo:rerun-if-changed=bpf");
    println!("cargo:rerun-if-changed=build.rs");
    Ok(())
}
