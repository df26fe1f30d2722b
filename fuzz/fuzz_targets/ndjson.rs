//! The door of one fuzz target; its body is `forebear_fuzz::ndjson::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| forebear_fuzz::ndjson::check(bytes));
