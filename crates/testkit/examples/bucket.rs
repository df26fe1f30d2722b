//! An S3 server on loopback to try an agent against, or to measure one.
//!
//! Prints where it is and the credentials it knows, as `NAME=value` lines and an empty line, then
//! obeys lines on standard input: `down` refuses all connections, `up` answers again. Ends with
//! its standard input.

use std::io::{BufRead, Write};

use forebear_testkit::bucket::S3;
use forebear_testkit::must::Must;

fn main() {
    let s3 = S3::start("events");
    let mut out = std::io::stdout().lock();
    writeln!(out, "endpoint={}\nurl={}", s3.endpoint(), s3.url()).must("say where it is");
    for (name, value) in s3.environment() {
        writeln!(out, "{name}={value}").must("say the credentials");
    }
    writeln!(out).and_then(|()| out.flush()).must("say that this was all");
    for line in std::io::stdin().lock().lines() {
        match line.must("read an order").as_str() {
            "down" => s3.down(),
            "up" => s3.up(),
            other => panic!("{other:?} is not an order; down and up are"),
        }
    }
}
