//! End-to-end tests: real logins on a real sshd, recorded by the built agent.
//!
//! Each file in `tests/` makes one sentence of the reference true; the tests' names are the
//! sentences.
//!
//! Deliberately not here: product code, and anything about how the agent is made. The tests know
//! its command line and its output, nothing else.
