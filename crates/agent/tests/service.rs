//! The service as a program, against real and misbehaving destinations: what was recorded is there
//! once, or an AGENT event admits that it is not.
//!
//! Out of reach here: stepping the machine's clock. That the service uses no wall clock but the
//! events' own is tested where it is decided (`forebear-archive`, batches).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "service/account.rs"]
mod account;
#[path = "service/ahead.rs"]
mod ahead;
#[path = "service/askers.rs"]
mod askers;
#[path = "service/configuration.rs"]
mod configuration;
#[path = "service/faults.rs"]
mod faults;
#[path = "service/forgery.rs"]
mod forgery;
#[path = "service/full.rs"]
mod full;
#[path = "service/gate.rs"]
mod gate;
#[path = "service/gate_attacks.rs"]
mod gate_attacks;
#[path = "service/identity.rs"]
mod identity;
#[path = "service/kill.rs"]
mod kill;
#[path = "service/notify.rs"]
mod notify;
#[path = "service/once.rs"]
mod once;
#[path = "service/provider.rs"]
mod provider;
#[path = "service/service.rs"]
mod service;
#[path = "service/status.rs"]
mod status;
#[path = "service/upset.rs"]
mod upset;
#[path = "service/within.rs"]
mod within;
