//! Numbers that look random and follow from a seed: SplitMix64 (Steele, Lea and Flood, 2014).
//!
//! For choosing rows, never for secrets.

#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True in a `share` of cases.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        // The upper 53 bits are a number from 0 to 1, exactly.
        ((self.next() >> 11) as f64) * (1.0 / (1_u64 << 53) as f64) < share
    }
}
