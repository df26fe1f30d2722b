//! Clocks, and the only conversions between them in the code base.
//!
//! Invariant: nothing here reads a clock; every time comes in with an observation.

/// Nanoseconds of `CLOCK_BOOTTIME` (clock_gettime(2)): since boot, suspend included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootTime(pub u64);

/// Nanoseconds of `CLOCK_REALTIME` since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(pub i64);

/// Clock ticks since boot, as field 22 of `/proc/<pid>/stat` shows a start time (proc(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticks(pub u64);

/// Ticks a second that `/proc` is written in: `USER_HZ`, 100 on every Linux architecture that
/// forebear runs on.
pub const USER_HZ: u64 = 100;

const NS_PER_TICK: u64 = 1_000_000_000 / USER_HZ;

impl BootTime {
    /// Truncates to ticks, as the kernel's `nsec_to_clock_t` does for `/proc/<pid>/stat`.
    pub fn ticks(self) -> Ticks {
        Ticks(self.0 / NS_PER_TICK)
    }
}

impl Ticks {
    /// The first instant of this tick.
    pub fn start(self) -> BootTime {
        BootTime(self.0.saturating_mul(NS_PER_TICK))
    }
}

/// One reading of both clocks at (nearly) the same instant.
///
/// Wall time of a kernel event is derived from the latest pair, so a clock that is stepped while
/// recording moves wall times only, never identities or order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockPair {
    /// The boot clock's reading.
    pub boot: BootTime,
    /// The wall clock's reading.
    pub wall: WallTime,
}

impl ClockPair {
    /// The wall time of a boot time, by this pair.
    pub fn wall_at(self, boot: BootTime) -> WallTime {
        let distance = i128::from(boot.0) - i128::from(self.boot.0);
        let wall = i128::from(self.wall.0) + distance;
        WallTime(i64::try_from(wall).unwrap_or(if wall < 0 { i64::MIN } else { i64::MAX }))
    }
}
