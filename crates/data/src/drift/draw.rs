//! Draws from what is exchangeable: rows one draw at a time, clusters several at once.

#![expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]

use super::null::{Block, Design, Exchange};
use super::random::Random;

/// Weights of both sides over the cells.
#[derive(Debug, Clone)]
pub(super) struct Sides {
    pub(super) reference: Vec<f64>,
    pub(super) current: Vec<f64>,
    /// Rows of both, before strata were weighted.
    rows: (f64, f64),
}

impl Sides {
    pub(super) fn new(cells: usize) -> Self {
        Self::of(vec![0.0; cells], vec![0.0; cells])
    }

    pub(super) const fn of(reference: Vec<f64>, current: Vec<f64>) -> Self {
        Self { reference, current, rows: (0.0, 0.0) }
    }

    fn clear(&mut self) {
        self.reference.fill(0.0);
        self.current.fill(0.0);
        self.rows = (0.0, 0.0);
    }

    /// Adds one stratum, its reference weighted as the current rows are spread over the strata; as it is when it is
    /// `alone`.
    pub(super) fn add(&mut self, stratum: &Self, alone: bool) {
        let size: f64 = stratum.reference.iter().sum();
        let other: f64 = stratum.current.iter().sum();
        if size <= 0.0 {
            return;
        }
        let weight = if alone { 1.0 } else { other / size };
        self.rows = (self.rows.0 + size, self.rows.1 + other);
        self.reference.iter_mut().zip(&stratum.reference).for_each(|(sum, count)| *sum += count * weight);
        self.current.iter_mut().zip(&stratum.current).for_each(|(sum, count)| *sum += count);
    }

    /// After all strata: lets the reference sum up to its rows again.
    pub(super) fn rescale(&mut self, alone: bool) {
        if !alone && self.rows.1 > 0.0 {
            let factor = self.rows.0 / self.rows.1;
            self.reference.iter_mut().for_each(|count| *count *= factor);
        }
    }
}

/// Draws of clusters that are made at once. Most of the time goes into reading blocks, and each is read once for all of
/// them; a cell of all of them fills a line of the cache.
const LANES: usize = 8;

/// One value for each draw that is made at once.
type Lane = [f64; LANES];

/// What draws keep between them.
pub(super) struct Drawer<'a> {
    design: &'a Design,
    /// Draws that were made and not handed out, the next one last.
    ready: Vec<Sides>,
    handed_out: Vec<Sides>,
    /// What is kept of each stratum of clusters.
    kept: Vec<Kept>,
    scratch: Sides,
    /// Sums over the blocks that were drawn, and over the halves of pairs that changed places, by cell.
    sums: [Vec<Lane>; 3],
}

/// What draws keep of a stratum of clusters.
struct Kept {
    /// Numbers of the blocks, in the order of the last draw.
    order: Vec<usize>,
    /// For each block, then each pair, 1 in the draws that move it and 0 in the others.
    moves: Vec<Lane>,
    /// All blocks together, and all first and second halves of pairs.
    totals: [Vec<f64>; 3],
}

impl<'a> Drawer<'a> {
    pub(super) fn new(design: &'a Design) -> Self {
        let kept = design.strata.iter().map(|stratum| {
            let mut totals = [(); 3].map(|()| vec![0.0; design.cells]);
            let [all, first, second] = &mut totals;
            let Exchange::Clusters { blocks, pairs, .. } = stratum else {
                return Kept { order: Vec::new(), moves: Vec::new(), totals };
            };
            blocks.iter().for_each(|block| add(all, block));
            for (one, two) in pairs {
                add(first, one);
                add(second, two);
            }
            let moves = vec![[0.0; LANES]; blocks.len() + pairs.len()];
            Kept { order: (0..blocks.len()).collect(), moves, totals }
        });
        let clustered = design.strata.iter().any(|stratum| matches!(stratum, Exchange::Clusters { .. }));
        let cells = if clustered { design.cells } else { 0 };
        Self {
            design,
            ready: Vec::new(),
            handed_out: Vec::new(),
            kept: kept.collect(),
            scratch: Sides::new(design.cells),
            sums: [(); 3].map(|()| vec![[0.0; LANES]; cells]),
        }
    }

    /// The next draw.
    pub(super) fn draw(&mut self, random: &mut Random, sides: &mut Sides) {
        if self.ready.is_empty() {
            self.make(random);
        }
        if let Some(mut next) = self.ready.pop() {
            std::mem::swap(sides, &mut next);
            self.handed_out.push(next);
        }
    }

    fn make(&mut self, random: &mut Random) {
        let clustered = !self.sums[0].is_empty();
        let draws = if clustered { LANES } else { 1 };
        let cells = self.design.cells;
        self.ready.extend((0..draws).map(|_| self.handed_out.pop().unwrap_or_else(|| Sides::new(cells))));
        self.ready.iter_mut().for_each(Sides::clear);
        let alone = self.design.strata.len() == 1;
        for (stratum, kept) in self.design.strata.iter().zip(&mut self.kept) {
            if let Exchange::Clusters { blocks, current, pairs, .. } = stratum {
                kept.choose(blocks.len(), *current, random);
                kept.sum(blocks, pairs, &mut self.sums);
            }
            for (lane, sides) in self.ready.iter_mut().enumerate() {
                let into = if alone { &mut *sides } else { &mut self.scratch };
                into.clear();
                match stratum {
                    Exchange::Rows { pooled, current } => draw_rows(pooled, *current, random, into),
                    Exchange::Between { reference, current } => {
                        draw_between(reference, *current, random, into);
                    }
                    Exchange::Clusters { ratio, .. } => kept.lane(&self.sums, lane, *ratio, into),
                }
                if !alone {
                    sides.add(&self.scratch, false);
                }
            }
        }
        self.ready.iter_mut().for_each(|sides| sides.rescale(alone));
    }
}

impl Kept {
    /// Chooses for each draw which blocks are current ones, and which pairs change places.
    fn choose(&mut self, blocks: usize, current: usize, random: &mut Random) {
        // Of two subsets that make up all of it the smaller one is drawn.
        let few = current.min(blocks - current);
        let (of_blocks, of_pairs) = self.moves.split_at_mut(blocks);
        of_blocks.fill([if few == current { 0.0 } else { 1.0 }; LANES]);
        for lane in 0..LANES {
            random.choose(&mut self.order, few);
            for number in self.order.iter().take(few) {
                let moves = of_blocks.get_mut(*number).and_then(|moves| moves.get_mut(lane));
                moves.into_iter().for_each(|moves| *moves = if few == current { 1.0 } else { 0.0 });
            }
        }
        for moves in of_pairs {
            let coins = random.bits();
            for (lane, moves) in moves.iter_mut().enumerate() {
                *moves = f64::from(u8::from(coins >> lane & 1 == 1));
            }
        }
    }

    /// Sums up what moves, by cell and draw.
    fn sum(&self, blocks: &[Block], pairs: &[(Block, Block)], sums: &mut [Vec<Lane>; 3]) {
        sums.iter_mut().for_each(|sum| sum.fill([0.0; LANES]));
        let [drawn, first, second] = sums;
        let (of_blocks, of_pairs) = self.moves.split_at(blocks.len());
        for (block, moves) in blocks.iter().zip(of_blocks) {
            add_lanes(drawn, block, moves);
        }
        for ((one, two), moves) in pairs.iter().zip(of_pairs) {
            add_lanes(first, one, moves);
            add_lanes(second, two, moves);
        }
    }

    /// The sides of one draw.
    fn lane(&self, sums: &[Vec<Lane>; 3], lane: usize, ratio: f64, into: &mut Sides) {
        let [drawn, first, second] = sums;
        let [all, firsts, seconds] = &self.totals;
        let of = |lanes: &Lane| lanes.get(lane).copied().unwrap_or(0.0);
        let sides = into.reference.iter_mut().zip(&mut into.current);
        let moved = drawn.iter().zip(first).zip(second);
        let totals = all.iter().zip(firsts).zip(seconds);
        for ((sides, ((drawn, first), second)), ((all, firsts), seconds)) in sides.zip(moved).zip(totals) {
            let (drawn, first, second) = (of(drawn), of(first), of(second));
            // A half that changes places counts as many rows as it has on that side.
            *sides.0 = all - drawn + (firsts - first) + second * ratio;
            *sides.1 = drawn + (seconds - second) + first / ratio;
        }
    }
}

fn add_lanes(sum: &mut [Lane], block: &Block, moves: &Lane) {
    for (cell, count) in block {
        if let Some(sum) = sum.get_mut(*cell as usize) {
            let count = f64::from(*count);
            sum.iter_mut().zip(moves).for_each(|(sum, moves)| *sum += count * moves);
        }
    }
}

fn draw_between(reference: &[u64], current: u64, random: &mut Random, into: &mut Sides) {
    into.reference.iter_mut().zip(reference).for_each(|(slot, count)| *slot = *count as f64);
    let shape = |(bin, count): (usize, &u64)| *count as f64 + if bin == 0 { 1.0 } else { 0.0 };
    into.current.iter_mut().zip(reference.iter().enumerate().map(shape)).for_each(|(slot, shape)| {
        *slot = if shape > 0.0 { random.gamma(shape) } else { 0.0 };
    });
    let (mut chance_left, mut left) = (into.current.iter().sum::<f64>(), current);
    let bins = into.current.len();
    for (bin, slot) in into.current.iter_mut().enumerate() {
        let chance = if bin + 1 == bins { 1.0 } else { (*slot / chance_left).clamp(0.0, 1.0) };
        chance_left -= *slot;
        let taken = random.binomial(left, chance);
        left -= taken;
        *slot = taken as f64;
    }
}

/// A multivariate hypergeometric draw: how many of the current rows fall into each cell.
fn draw_rows(pooled: &[u64], current: u64, random: &mut Random, into: &mut Sides) {
    let mut left: u64 = pooled.iter().sum();
    let mut wanted = current;
    let sides = into.reference.iter_mut().zip(&mut into.current);
    for (all, (reference, current)) in pooled.iter().zip(sides) {
        let taken = match *all {
            0 => 0,
            1 => u64::from(random.below(left) < wanted),
            all => random.hypergeometric(left, all, wanted),
        };
        left -= *all;
        wanted -= taken;
        *reference = (all - taken) as f64;
        *current = taken as f64;
    }
}

pub(super) fn add(sum: &mut [f64], block: &Block) {
    for (cell, count) in block {
        if let Some(sum) = sum.get_mut(*cell as usize) {
            *sum += f64::from(*count);
        }
    }
}
