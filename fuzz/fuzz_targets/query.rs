//! The door of one fuzz target; its body is `forebear_fuzz::query::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| forebear_fuzz::query::check(bytes));
