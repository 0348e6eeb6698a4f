//! Trees laid out for walking: flat and breadth-first, children adjacent, leaves looping on themselves.
//!
//! Because a leaf's next node is itself, sixteen walks can go in step without asking which have arrived: sixteen
//! rows through one tree, or one row through sixteen trees. The loads of the walks overlap, which is where the
//! speed comes from. Every ordering is turned into `<=` when the trees are laid out: `x < t` is `x <= t'` with `t'`
//! the next number below `t`, and `>` and `>=` swap the children.
#![expect(clippy::indexing_slicing, reason = "every index was checked when the trees were laid out")]

use super::parse::{Forest, Mode, Node, Number};

/// Walks that go in step.
pub(crate) const WIDTH: usize = 16;

/// Set in [`Flat::feature`] if a missing value goes the way of yes.
const MISSING_IS_YES: u32 = 1 << 31;
/// Set in [`Flat::feature`] if the question is `x == t` and not `x <= t`.
const EQUAL: u32 = 1 << 30;
const FEATURE: u32 = EQUAL - 1;

#[derive(Debug, Clone, Copy)]
struct Flat<T> {
    /// Of a leaf with a single weight: the weight.
    threshold: T,
    feature: u32,
    /// The child for yes; the one for no is next to it. Of a leaf: itself.
    child: u32,
}

/// Laid-out trees.
///
/// INVARIANT: every root, every child and the node next to every branch's child is a node; every feature is at most
/// the forest's largest.
#[derive(Debug)]
pub(crate) struct Trees<T> {
    nodes: Vec<Flat<T>>,
    roots: Vec<u32>,
    /// For each node where its weights are in `weights`; empty if every leaf has at most one, for output 0.
    spans: Vec<(u32, u32)>,
    weights: Vec<(u32, T)>,
    /// Nodes on the longest way from a root to a leaf.
    depth: usize,
    /// Whether some node asks something else than `<=`, or sends missing values to yes.
    plain: bool,
}

impl<T: Number> Trees<T> {
    pub(crate) fn new(forest: &Forest<T>) -> Trees<T> {
        let leaves = forest.nodes.iter().filter_map(|node| match node {
            Node::Leaf { weights } => Some(weights),
            Node::Branch { .. } => None,
        });
        let single = leaves.clone().all(|weights| matches!(weights.as_slice(), [] | [(0, _)]));
        let mut trees = Trees {
            nodes: Vec::with_capacity(forest.nodes.len()),
            roots: Vec::with_capacity(forest.roots.len()),
            spans: Vec::new(),
            weights: Vec::new(),
            depth: 0,
            plain: true,
        };
        for root in &forest.roots {
            trees.add(forest, *root, single);
        }
        trees
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a file of at most 256 MiB has fewer than 2^32 nodes"
    )]
    fn add(&mut self, forest: &Forest<T>, root: usize, single: bool) {
        let base = self.nodes.len();
        self.roots.push(base as u32);
        // `level` holds the nodes of the file in the order in which they are laid out.
        let mut level = vec![root];
        let mut depth = 0;
        let mut placed = base;
        while !level.is_empty() {
            depth += 1;
            let mut below = Vec::new();
            let after = placed + level.len();
            for index in &level {
                let child = (after + below.len()) as u32;
                let flat = match &forest.nodes[*index] {
                    Node::Branch { mode, feature, threshold, yes, no, missing_is_yes } => {
                        let branch = order(*mode, *threshold, *missing_is_yes);
                        below.extend(if branch.swap { [*no, *yes] } else { [*yes, *no] });
                        self.plain &= branch.flags == 0;
                        Flat { threshold: branch.threshold, feature: feature | branch.flags, child }
                    }
                    Node::Leaf { weights } => {
                        let weight = weights.first().map_or(T::ZERO, |(_, weight)| *weight);
                        if !single {
                            let start = self.weights.len() as u32;
                            self.spans.resize(placed, (0, 0));
                            self.spans.push((start, start + weights.len() as u32));
                            self.weights.extend(weights);
                        }
                        Flat { threshold: weight, feature: 0, child: placed as u32 }
                    }
                };
                self.nodes.push(flat);
                placed += 1;
            }
            level = below;
        }
        self.depth = self.depth.max(depth);
    }

    /// How many trees there are.
    pub(crate) fn count(&self) -> usize {
        self.roots.len()
    }

    /// Nodes on the longest way from a root to a leaf.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// Whether all leaves have at most one weight, for output 0; else [`weights`](Self::weights) says.
    pub(crate) fn single(&self) -> bool {
        self.spans.is_empty()
    }

    /// The weight of a leaf, if [`single`](Self::single).
    pub(crate) fn weight(&self, leaf: u32) -> T {
        self.nodes[leaf as usize].threshold
    }

    /// The weights of a leaf: output and weight.
    pub(crate) fn weights(&self, leaf: u32) -> &[(u32, T)] {
        let (start, end) = self.spans.get(leaf as usize).copied().unwrap_or_default();
        &self.weights[start as usize..end as usize]
    }

    /// Walks all rows of a table through all trees. For each row, `arrive(row, leaf)` is called once for every tree,
    /// in the order of the trees. `width` is more than the largest feature.
    pub(crate) fn walk<X: Copy>(
        &self,
        table: &[X],
        width: usize,
        convert: impl Fn(X) -> T + Copy,
        arrive: impl FnMut(usize, u32),
    ) {
        if self.plain {
            self.walk_with::<X, true>(table, width, convert, arrive);
        } else {
            self.walk_with::<X, false>(table, width, convert, arrive);
        }
    }

    fn walk_with<X: Copy, const PLAIN: bool>(
        &self,
        table: &[X],
        width: usize,
        convert: impl Fn(X) -> T + Copy,
        mut arrive: impl FnMut(usize, u32),
    ) {
        let rows = table.len() / width;
        let blocks = rows / WIDTH * WIDTH;
        for start in (0..blocks).step_by(WIDTH) {
            let offsets: [usize; WIDTH] = std::array::from_fn(|lane| (start + lane) * width);
            for root in &self.roots {
                let leaves = self.descend::<X, PLAIN>(table, offsets, [*root; WIDTH], convert);
                for (lane, leaf) in leaves.into_iter().enumerate() {
                    arrive(start + lane, leaf);
                }
            }
        }
        for row in blocks..rows {
            for roots in self.roots.chunks(WIDTH) {
                let last = roots[roots.len() - 1];
                let starts: [u32; WIDTH] =
                    std::array::from_fn(|lane| roots.get(lane).copied().unwrap_or(last));
                let leaves = self.descend::<X, PLAIN>(table, [row * width; WIDTH], starts, convert);
                for leaf in leaves.into_iter().take(roots.len()) {
                    arrive(row, leaf);
                }
            }
        }
    }

    /// Sixteen walks in step, each from its own root with the row at its own offset, until all have arrived.
    #[inline]
    fn descend<X: Copy, const PLAIN: bool>(
        &self,
        table: &[X],
        offsets: [usize; WIDTH],
        mut at: [u32; WIDTH],
        convert: impl Fn(X) -> T,
    ) -> [u32; WIDTH] {
        let nodes = self.nodes.as_slice();
        loop {
            let mut moved = 0;
            for lane in 0..WIDTH {
                let here = at[lane];
                let node = nodes[here as usize];
                let x = convert(table[offsets[lane] + (node.feature & FEATURE) as usize]);
                let no = if PLAIN { is_no(x, node.threshold) } else { node.says_no(x) };
                // A leaf stays where it is, whatever the comparison says.
                let next = node.child + (u32::from(no) & u32::from(node.child != here));
                moved |= next ^ here;
                at[lane] = next;
            }
            if moved == 0 {
                return at;
            }
        }
    }
}

/// Whether `x <= threshold` does not hold; so it is for a missing value.
#[expect(clippy::neg_cmp_op_on_partial_ord, reason = "a missing value compares as neither, and goes to no")]
#[inline]
fn is_no<T: Number>(x: T, threshold: T) -> bool {
    !(x <= threshold)
}

impl<T: Number> Flat<T> {
    #[inline]
    fn says_no(self, x: T) -> bool {
        if x.is_nan() {
            self.feature & MISSING_IS_YES == 0
        } else if self.feature & EQUAL != 0 {
            x != self.threshold
        } else {
            is_no(x, self.threshold)
        }
    }
}

/// A branch whose question is `<=` or `==`.
struct Ordered<T> {
    threshold: T,
    swap: bool,
    flags: u32,
}

fn order<T: Number>(mode: Mode, threshold: T, missing_is_yes: bool) -> Ordered<T> {
    // No number is below the least one: then the answer is always no.
    let below = below(threshold);
    let (threshold, swap, equal) = match mode {
        // Nothing compares with what is not a number: the answer is always no, too, also after a swap.
        _ if threshold.is_nan() && mode != Mode::NotEqual => (threshold, false, EQUAL),
        Mode::LessOrEqual => (threshold, false, 0),
        Mode::Less => (below, false, 0),
        Mode::Greater => (threshold, true, 0),
        Mode::GreaterOrEqual => (below, true, 0),
        Mode::Equal => (threshold, false, EQUAL),
        Mode::NotEqual => (threshold, true, EQUAL),
    };
    // A missing value is neither less nor greater nor equal: the question says no, unless it is to track yes. The
    // negated questions say yes by themselves after the swap, which has to be undone, except for "not equal", which
    // a missing value does satisfy.
    let satisfied = missing_is_yes || mode == Mode::NotEqual;
    let missing = if satisfied != swap { MISSING_IS_YES } else { 0 };
    Ordered { threshold, swap, flags: equal | missing }
}

/// The next number below; not a number if there is none, so that nothing compares as below or equal.
fn below<T: Number>(threshold: T) -> T {
    let next = threshold.next_down();
    if next < threshold { next } else { T::NAN }
}
