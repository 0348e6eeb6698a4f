//! The few lowest and highest numbers of a column: enough to see how far its tails reach.

/// How many numbers are kept at each end.
pub(crate) const KEPT: usize = 16;

/// The lowest and highest numbers seen, ties included.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Extremes {
    lowest: Tail,
    highest: Tail,
}

/// Up to [`KEPT`] of the smallest keys, ascending; the highest numbers are kept negated.
#[derive(Debug, Clone, PartialEq)]
struct Tail {
    // INVARIANT: finite numbers only.
    numbers: [f64; KEPT],
    len: usize,
}

impl Extremes {
    pub(crate) const fn new() -> Self {
        const EMPTY: Tail = Tail { numbers: [f64::INFINITY; KEPT], len: 0 };
        Self { lowest: EMPTY, highest: EMPTY }
    }

    /// Tails that were checked: ascending and descending, [`KEPT`] numbers at most each.
    pub(crate) fn from_tails(lowest: &[f64], highest: &[f64]) -> Self {
        let mut extremes = Self::new();
        lowest.iter().for_each(|number| extremes.lowest.observe(*number));
        highest.iter().for_each(|number| extremes.highest.observe(-number));
        extremes
    }

    /// Takes finite numbers that lie within a range.
    pub(crate) fn observe_all(&mut self, numbers: &[f64], (low, high): (f64, f64)) {
        // Most batches hold nothing that is new here, and then the range says so.
        if low < self.lowest.last() {
            numbers.iter().for_each(|number| self.lowest.observe(*number));
        }
        if -high < self.highest.last() {
            numbers.iter().for_each(|number| self.highest.observe(-number));
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        other.lowest.numbers().iter().for_each(|number| self.lowest.observe(*number));
        other.highest.numbers().iter().for_each(|number| self.highest.observe(*number));
    }

    /// The lowest numbers, ascending.
    pub(crate) fn lowest(&self) -> Vec<f64> {
        self.lowest.numbers().to_vec()
    }

    /// The highest numbers, descending.
    pub(crate) fn highest(&self) -> Vec<f64> {
        // Adding zero turns the -0.0 of a negated zero back.
        self.highest.numbers().iter().map(|number| -number + 0.0).collect()
    }
}

impl Tail {
    /// What a number must be below to get in. Free places hold infinity.
    fn last(&self) -> f64 {
        let [.., last] = self.numbers;
        last
    }

    #[inline]
    fn observe(&mut self, number: f64) {
        if number < self.last() {
            self.insert(number);
        }
    }

    fn insert(&mut self, number: f64) {
        let at = self.numbers.partition_point(|kept| *kept <= number);
        if let Some(tail) = self.numbers.get_mut(at..) {
            tail.rotate_right(1);
            if let Some(place) = tail.first_mut() {
                *place = number;
            }
        }
        self.len = (self.len + 1).min(KEPT);
    }

    fn numbers(&self) -> &[f64] {
        self.numbers.get(..self.len).unwrap_or_default()
    }
}
