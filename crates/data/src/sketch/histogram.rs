//! How the numbers of a column spread over bins whose edges never change.

use super::codec::{Kind, Reader, SketchInvalid, Writer};
use super::{KllView, NotMergeable, joint_count};
use crate::limits::{HISTOGRAM_EDGES, ROWS};

/// Edges are not usable for a histogram.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum EdgesInvalid {
    /// Fewer than two, or too many.
    #[error("{edges} edges, not between 2 and {HISTOGRAM_EDGES}")]
    HowMany {
        /// How many there are.
        edges: usize,
    },
    /// An edge is not finite.
    #[error("edge {at} is `{edge}`, which is not finite")]
    NotFinite {
        /// Which edge, from 0.
        at: usize,
        /// The offending edge.
        edge: f64,
    },
    /// An edge is not above the one before.
    #[error("edge {at} is `{edge}`, which is not above the edge before it")]
    NotAscending {
        /// Which edge, from 0.
        at: usize,
        /// The offending edge.
        edge: f64,
    },
}

/// Counts of numbers between frozen edges. Bin i has the numbers from edge i up to and without edge i + 1, the last
/// bin also the last edge. All counts are exact, whatever the order of values and merges.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeHistogram {
    // INVARIANT: 2 edges at least, finite, strictly ascending, zero without a sign.
    edges: Vec<f64>,
    search: Search,
    /// Below, each bin, above, missing.
    counts: Vec<u64>,
}

/// How a number finds its bin. Follows from the edges.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Search {
    /// Bins of nearly one width: multiplied out, then corrected by one bin at most.
    Even { low: f64, per_width: f64 },
    /// Few edges: all are compared.
    All,
    /// Halving.
    Halves,
}

/// With no more edges than this, comparing all of them is faster than halving.
const FEW: usize = 16;
const LANES: usize = 8;

impl EdgeHistogram {
    /// No numbers yet, between these edges.
    ///
    /// # Errors
    /// When there are too few or too many edges, or they are not finite and strictly ascending.
    pub fn new(edges: &[f64]) -> Result<Self, EdgesInvalid> {
        if !(2..=HISTOGRAM_EDGES).contains(&edges.len()) {
            return Err(EdgesInvalid::HowMany { edges: edges.len() });
        }
        if let Some((at, edge)) = (0..).zip(edges).find(|(_, edge)| !edge.is_finite()) {
            return Err(EdgesInvalid::NotFinite { at, edge: *edge });
        }
        let ascending = |(_, pair): &(usize, &[f64])| matches!(pair, [one, two] if one < two);
        if let Some((at, pair)) = (1..).zip(edges.windows(2)).find(|pair| !ascending(pair)) {
            return Err(EdgesInvalid::NotAscending { at, edge: pair.last().copied().unwrap_or(0.0) });
        }
        let edges: Vec<f64> = edges.iter().map(|edge| edge + 0.0).collect();
        let search = search_for(&edges);
        let counts = vec![0; edges.len() + 2];
        Ok(Self { edges, search, counts })
    }

    /// Bins of one width from `low` to `high`.
    ///
    /// # Errors
    /// When there are too many bins or none, or they are too narrow for doubles to tell their edges apart.
    pub fn equal_width(low: f64, high: f64, bins: usize) -> Result<Self, EdgesInvalid> {
        if bins >= HISTOGRAM_EDGES {
            return Err(EdgesInvalid::HowMany { edges: bins.saturating_add(1) });
        }
        let edge = |at: usize| {
            let share = at as f64 / bins.max(1) as f64;
            // Both products are finite even where the difference is not.
            if at == bins { high } else { low * (1.0 - share) + high * share }
        };
        let edges: Vec<f64> = (0..=bins).map(edge).collect();
        Self::new(&edges)
    }

    /// Bins with about the same number of the values that a sketch saw: its quantiles, fewer where values repeat. Of a
    /// column of one value, a bin for that value alone.
    ///
    /// # Errors
    /// When there are too many bins or none.
    pub fn quantile_edges(view: &KllView, bins: usize) -> Result<Self, EdgesInvalid> {
        if bins == 0 || bins >= HISTOGRAM_EDGES {
            return Err(EdgesInvalid::HowMany { edges: bins.saturating_add(1) });
        }
        let mut edges: Vec<f64> = (0..=bins).map(|at| view.quantile(at as f64 / bins as f64)).collect();
        edges.dedup();
        if let [only] = *edges {
            // The largest double has nothing finite above it.
            if only == f64::MAX { edges.insert(0, only.next_down()) } else { edges.push(only.next_up()) }
        }
        Self::new(&edges)
    }

    /// The edges, strictly ascending.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The count of each bin, one fewer than edges.
    pub fn bins(&self) -> &[u64] {
        self.counts.get(1..self.edges.len()).unwrap_or_default()
    }

    /// Numbers below the first edge.
    pub fn below(&self) -> u64 {
        self.counts.first().copied().unwrap_or(0)
    }

    /// Numbers above the last edge.
    pub fn above(&self) -> u64 {
        self.counts.get(self.edges.len()).copied().unwrap_or(0)
    }

    /// NaN, and what [`Self::add_missing`] said.
    pub fn missing(&self) -> u64 {
        self.counts.last().copied().unwrap_or(0)
    }

    /// All numbers, without the missing ones.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum::<u64>() - self.missing()
    }

    /// Counts rows without a number.
    pub fn add_missing(&mut self, rows: u64) {
        if let Some(missing) = self.counts.last_mut() {
            *missing += rows;
        }
    }

    /// Takes numbers; infinities are below and above all edges, NaN is missing.
    pub fn update(&mut self, values: &[f64]) {
        kernel::count(&self.edges, self.search, values, &mut self.counts);
    }

    /// Adds the counts of another part.
    ///
    /// # Errors
    /// When the edges differ, or there are more rows than are counted.
    pub fn merge(&mut self, other: &Self) -> Result<(), NotMergeable> {
        if self.edges != other.edges {
            return Err(NotMergeable::Parameters { what: "edges" });
        }
        joint_count(self.counts.iter().sum(), other.counts.iter().sum())?;
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        Ok(())
    }

    /// The stored form, `docs/formats/sketches.md`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::EdgeHistogram);
        writer.len(self.edges.len());
        self.edges.iter().for_each(|edge| writer.f64(*edge));
        self.counts.iter().for_each(|count| writer.u64(*count));
        writer.finish()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes are not what [`Self::to_bytes`] would make of any histogram.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SketchInvalid> {
        let mut reader = Reader::open(Kind::EdgeHistogram, bytes)?;
        let edges = reader.len(16)?;
        let edges: Vec<f64> = (0..edges).map(|_| reader.finite()).collect::<Result<_, _>>()?;
        let mut histogram = Self::new(&edges).map_err(|_| reader.wrong("its edges"))?;
        let mut rows = 0_u64;
        for count in &mut histogram.counts {
            *count = reader.u64()?;
            rows = rows.saturating_add(*count);
        }
        reader.end()?;
        reader.require(rows <= ROWS, "how many rows")?;
        Ok(histogram)
    }
}

/// Whether multiplying leads to the right bin or one beside it. It does everywhere if it does so at the edges, because
/// it never goes down where numbers go up.
fn search_for(edges: &[f64]) -> Search {
    let bins = edges.len() - 1;
    let [low, .., high] = *edges else { return Search::All };
    let even = Search::Even { low, per_width: bins as f64 / (high - low) };
    let near = |(bin, edge): (usize, &f64)| {
        let found = kernel::even_bin(*edge, even, bins);
        found == bin || found + 1 == bin
    };
    if (0..).zip(edges).all(near) {
        return even;
    }
    if edges.len() <= FEW { Search::All } else { Search::Halves }
}

/// Counting without a branch that depends on the values.
mod kernel {
    #![expect(clippy::indexing_slicing, reason = "a kernel; bins are clamped to the number of edges")]
    #![expect(clippy::cast_possible_truncation, reason = "converting a double to an integer saturates")]
    #![expect(clippy::cast_sign_loss, reason = "clamped to nought and above")]

    use super::{LANES, Search};

    /// A bin at or beside that of the number, as one would compute it for bins of exactly one width.
    #[inline]
    pub(super) fn even_bin(value: f64, search: Search, bins: usize) -> usize {
        let Search::Even { low, per_width } = search else { return 0 };
        ((value - low) * per_width).clamp(0.0, (bins - 1) as f64) as usize
    }

    pub(super) fn count(edges: &[f64], search: Search, values: &[f64], counts: &mut [u64]) {
        // The last edge belongs to the last bin, so what counts as above begins with the next number.
        let mut limits = edges.to_vec();
        if let Some(last) = limits.last_mut() {
            *last = last.next_up();
        }
        let bins = edges.len() - 1;
        let missing = bins + 2;
        match search {
            Search::Even { .. } => {
                for value in values {
                    let bin = even_bin(*value, search, bins);
                    let place =
                        bin + 1 + usize::from(*value >= limits[bin + 1]) - usize::from(*value < limits[bin]);
                    counts[if value.is_nan() { missing } else { place }] += 1;
                }
            }
            Search::All => {
                let (chunks, tail) = values.as_chunks::<LANES>();
                for chunk in chunks {
                    let mut places = [0_u64; LANES];
                    for limit in &limits {
                        for (place, value) in places.iter_mut().zip(chunk) {
                            *place = place.wrapping_add(u64::from(*value >= *limit));
                        }
                    }
                    for (place, value) in places.into_iter().zip(chunk) {
                        counts[if value.is_nan() { missing } else { place as usize }] += 1;
                    }
                }
                tail.iter().for_each(|value| counts[halved(&limits, *value, missing)] += 1);
            }
            Search::Halves => values.iter().for_each(|value| counts[halved(&limits, *value, missing)] += 1),
        }
    }

    #[inline]
    fn halved(limits: &[f64], value: f64, missing: usize) -> usize {
        if value.is_nan() { missing } else { limits.partition_point(|limit| *limit <= value) }
    }
}
