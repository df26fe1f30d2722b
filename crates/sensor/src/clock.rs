//! The two clocks, read.
//!
//! The only place of this crate that asks for the time.

use forebear_model::{BootTime, ClockPair, WallTime};
use rustix::time::{ClockId, clock_gettime};

/// The tries for a pair: the closest wins, so that being scheduled away in between does not
/// shift every wall time that is derived from it.
const TRIES: usize = 3;

/// The boot clock now.
pub fn boot_time() -> BootTime {
    BootTime(u64::try_from(nanoseconds(ClockId::Boottime)).unwrap_or_default())
}

/// Both clocks at nearly the same instant: the wall clock between two readings of the boot
/// clock, paired with the middle of the two.
pub fn clock_pair() -> ClockPair {
    let mut best = (u64::MAX, ClockPair::default());
    for _ in 0..TRIES {
        let before = boot_time().0;
        let wall = WallTime(nanoseconds(ClockId::Realtime));
        let width = boot_time().0.saturating_sub(before);
        if width < best.0 {
            best = (width, ClockPair { boot: BootTime(before + width / 2), wall });
        }
    }
    best.1
}

fn nanoseconds(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pair_lies_between_two_readings() {
        let before = boot_time();
        let pair = clock_pair();
        assert!(before <= pair.boot && pair.boot <= boot_time());
        assert!(pair.wall.0 > 0);
    }
}
