//! Compiles the eBPF programs.
//!
//! Needs clang in the PATH and nothing else: the headers are the loader library's own and
//! `bpf/kernel.h`. The objects are embedded as they are; no skeleton is generated, since that
//! would bring unsafe code for a handful of hooks and maps.

use std::env;
use std::error::Error;
use std::path::Path;

use libbpf_cargo::SkeletonBuilder;

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    // The first argument and the result of a function lie in other registers on each machine.
    let machine = match env::var("CARGO_CFG_TARGET_ARCH")?.as_str() {
        "x86_64" => "-D__TARGET_ARCH_x86",
        "aarch64" => "-D__TARGET_ARCH_arm64",
        other => return Err(format!("there are no register names for {other} in bpf/").into()),
    };
    for name in ["process", "running", "shell", "effect"] {
        let object = Path::new(&out).join(format!("{name}.bpf.o"));
        SkeletonBuilder::new()
            .source(format!("bpf/{name}.bpf.c"))
            .obj(&object)
            .clang_args(["-Ibpf", "-mcpu=v3", "-Wall", "-Werror", machine])
            .build()
            .map_err(|error| format!("bpf/{name}.bpf.c does not compile: {error:#}"))?;
        let variable = format!("FOREBEAR_{}_OBJECT", name.to_uppercase());
        println!("cargo:rustc-env={variable}={}", object.display());
    }
    println!("cargo:rerun-if-changed=bpf");
    println!("cargo:rerun-if-changed=build.rs");
    Ok(())
}
