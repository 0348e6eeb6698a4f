//! Numbers that look random and follow from a seed: SplitMix64 (Steele, Lea and Flood, 2014). Never for secrets.

#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// One of many streams of a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self(mix(seed ^ mix(stream.wrapping_add(0x9e37_79b9_7f4a_7c15))))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`, which is not nought. The bias is below `bound` / 2^64.
    #[expect(clippy::cast_possible_truncation, reason = "the upper half of the product is below `bound`")]
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// At least 0 and below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        // The upper 53 bits are such a number, exactly.
        ((self.next() >> 11) as f64) * (1.0 / (1_u64 << 53) as f64)
    }

    /// `count` different numbers below `total`, rising (Floyd's sampling, without its set when all are wanted).
    pub(crate) fn sample(&mut self, count: usize, total: usize) -> Vec<usize> {
        if count >= total {
            return (0..total).collect();
        }
        let mut chosen = std::collections::BTreeSet::new();
        for last in total - count..total {
            let one = self.below(last + 1);
            if !chosen.insert(one) {
                chosen.insert(last);
            }
        }
        chosen.into_iter().collect()
    }
}

/// A permutation of all 64-bit numbers that spreads small differences everywhere.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
