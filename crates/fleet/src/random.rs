//! Chance that comes out the same every time.
//!
//! Invariant: the same seed gives the same numbers on every machine, so nothing here uses a
//! function of the mathematical library, which may round differently from one to the next.

/// A generator of numbers: SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of this seed and stream; two streams of one seed have nothing in common.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed ^ stream.wrapping_mul(0xd6e8_feb8_6659_fd93));
        // Neighbouring seeds begin with neighbouring states; one step parts them.
        random.0 = random.next();
        random
    }

    /// Any number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `limit`; 0 if there is none.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from `least` up to, not including, `limit`.
    pub(crate) fn between(&mut self, least: u64, limit: u64) -> u64 {
        least + self.below(limit.saturating_sub(least))
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several, each as likely as the others.
    pub(crate) fn pick<'s, T>(&mut self, several: &'s [T]) -> &'s T {
        &several[self.below(several.len() as u64) as usize]
    }

    /// Sixteen bytes in the form of a UUID of version 4 (RFC 9562).
    pub(crate) fn uuid(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes());
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        bytes
    }

    /// So many hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text += &format!("{:016x}", self.next());
        }
        text.truncate(digits);
        text
    }
}

/// Zipf's law: of `n` things the one at place k is wanted in proportion to 1 / (k + 1), the way
/// programs, hosts and people are really spread.
#[derive(Clone, Debug)]
pub(crate) struct Zipf {
    /// The sum of the weights up to each place, in millionths.
    sums: Vec<u64>,
}

impl Zipf {
    /// The law over `n` places, of which there is at least one.
    pub(crate) fn new(n: usize) -> Self {
        let mut sum = 0;
        let weights = (1..=n.max(1) as u64).map(|place| 1_000_000_000 / place);
        let sums = weights.map(|weight| {
            sum += weight;
            sum
        });
        Self { sums: sums.collect() }
    }

    /// A place, from 0.
    pub(crate) fn draw(&self, random: &mut Random) -> usize {
        let drawn = random.below(self.total());
        self.sums.partition_point(|sum| *sum <= drawn)
    }

    /// The share of a place in `whole`, rounded down.
    pub(crate) fn share(&self, place: usize, whole: u64) -> u64 {
        let below = place.checked_sub(1).map_or(0, |before| self.sums[before]);
        let weight = u128::from(self.sums[place] - below);
        (weight * u128::from(whole) / u128::from(self.total())) as u64
    }

    fn total(&self) -> u64 {
        self.sums.last().copied().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_stream_gives_others() {
        let first = |seed, stream| Random::new(seed, stream).next();
        assert_eq!(first(1, 1), first(1, 1));
        assert_ne!(first(1, 1), first(1, 2));
        assert_ne!(first(1, 1), first(2, 1));
    }

    #[test]
    fn the_first_place_of_a_hundred_is_drawn_about_twice_as_often_as_the_second() {
        let (zipf, mut random) = (Zipf::new(100), Random::new(7, 0));
        let mut drawn = [0_u32; 100];
        for _ in 0..100_000 {
            drawn[zipf.draw(&mut random)] += 1;
        }
        assert!((18_000..20_500).contains(&drawn[0]), "{drawn:?}");
        assert!((9_000..10_300).contains(&drawn[1]), "{drawn:?}");
        assert!(drawn.iter().all(|times| *times > 0), "{drawn:?}");
    }

    #[test]
    fn shares_add_up_to_nearly_the_whole() {
        let zipf = Zipf::new(30);
        let sum: u64 = (0..30).map(|place| zipf.share(place, 1_000_000)).sum();
        assert!((999_970..=1_000_000).contains(&sum), "{sum}");
    }
}
