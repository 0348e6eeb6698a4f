//! Rows put into strata and clusters, ready to be exchanged.

#![expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]

use super::cells::{Cells, of_weights};
use super::compare::Side;
use super::null::{Block, Design, Exchange, Sides};
use super::random::Random;
use super::report::NotJudged;
use super::statistic::{Statistic, Undefined};

/// The rows of one side: a cell for each, and what they belong to.
pub(super) struct Rows {
    pub(super) cells: Vec<u32>,
    pub(super) clusters: Option<Vec<u64>>,
    pub(super) strata: Option<Vec<u16>>,
}

/// What can be exchanged, and the two sides as they are.
pub(super) struct Arranged {
    pub(super) design: Design,
    /// Whether the reference is weighted by stratum.
    pub(super) weighted: bool,
    /// The sides of the test.
    tested: Sides,
    /// The sides before rows were left out of large clusters.
    all: Sides,
    /// Clusters of both sides, when there are any.
    pub(super) clusters: (Option<u64>, Option<u64>),
}

impl Arranged {
    /// The statistic of what is tested.
    pub(super) fn value(&self, statistic: Statistic) -> Result<f64, Undefined> {
        of_weights(statistic, &self.tested.reference, &self.tested.current, &self.design.gaps)
    }

    /// The statistic of all rows.
    pub(super) fn value_of_all(&self, statistic: Statistic) -> Result<f64, Undefined> {
        of_weights(statistic, &self.all.reference, &self.all.current, &self.design.gaps)
    }
}

/// Clusters larger on one side than on the other by more than this are thinned.
const UNEQUAL: f64 = 1.25;

/// One stratum, by cluster.
type Stratum = (u16, Vec<(u64, Block)>);

/// Sorts the rows of both sides by stratum and cluster. Strata without current rows do not count.
pub(super) fn arrange(one: &Rows, two: &Rows, cells: &Cells, seed: u64) -> Result<Arranged, NotJudged> {
    let (here, there) = (by_stratum(one), by_stratum(two));
    let clustered = one.clusters.is_some();
    let mut random = Random::named(seed, "thinning of clusters");
    let alone = there.len() == 1;
    let (mut tested, mut all) = (Sides::new(cells.len()), Sides::new(cells.len()));
    let (mut clusters, mut strata) = ((0_u64, 0_u64), Vec::new());
    for (stratum, current) in &there {
        let reference = here.iter().find(|other| other.0 == *stratum).map(|other| &other.1);
        // Without a reference there is nothing to compare these rows with; a season's fall-back avoids it.
        let reference = reference.ok_or(NotJudged::Undefined(Undefined::NoReference))?;
        let sides = Sides::of(total(reference, cells.len()), total(current, cells.len()));
        all.add(&sides, alone);
        if clustered {
            clusters = (clusters.0 + reference.len() as u64, clusters.1 + current.len() as u64);
            let (exchange, sides) = of_clusters(reference, current, cells.len(), &mut random);
            tested.add(&sides, alone);
            strata.push(exchange);
        } else {
            let pooled = sides.reference.iter().zip(&sides.current).map(|(one, two)| whole(one + two));
            strata.push(Exchange::Rows {
                pooled: pooled.collect(),
                current: whole(sides.current.iter().sum()),
            });
            tested.add(&sides, alone);
        }
    }
    if strata.is_empty() {
        return Err(NotJudged::Undefined(Undefined::NoCurrent));
    }
    tested.rescale(alone);
    all.rescale(alone);
    let clusters = if clustered { (Some(clusters.0), Some(clusters.1)) } else { (None, None) };
    let design = Design { strata, cells: cells.len(), gaps: cells.gaps.clone() };
    Ok(Arranged { design, weighted: one.strata.is_some(), tested, all, clusters })
}

/// Clusters that are counted already, none of them on both sides.
pub(super) fn arrange_blocks(
    one: &[Vec<u64>],
    two: &[Vec<u64>],
    cells: &Cells,
    seed: u64,
) -> Arranged {
    let blocks = |counts: &[Vec<u64>], first: u64| -> Vec<(u64, Block)> {
        let block = |counts: &Vec<u64>| {
            let used = (0_u32..).zip(counts).filter(|(_, count)| **count > 0);
            used.map(|(cell, count)| (cell, *count as f64)).collect::<Block>()
        };
        (first..).zip(counts.iter().map(block).filter(|block| !block.is_empty())).collect()
    };
    let (reference, current) = (blocks(one, 0), blocks(two, one.len() as u64));
    let all = Sides::of(total(&reference, cells.len()), total(&current, cells.len()));
    let clusters = (Some(reference.len() as u64), Some(current.len() as u64));
    let mut random = Random::named(seed, "thinning of clusters");
    let (exchange, tested) = of_clusters(&reference, &current, cells.len(), &mut random);
    let design = Design { strata: vec![exchange], cells: cells.len(), gaps: Vec::new() };
    Arranged { design, weighted: false, tested, all, clusters }
}

/// The clusters of a stratum as blocks to exchange, and what they sum up to on each side.
fn of_clusters(
    reference: &[(u64, Block)],
    current: &[(u64, Block)],
    cells: usize,
    random: &mut Random,
) -> (Exchange, Sides) {
    let rows = |clusters: &[(u64, Block)]| clusters.iter().map(|(_, block)| size(block)).sum::<f64>();
    let ratio = rows(reference) / rows(current);
    let (mut pairs, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let mut others = current.iter().peekable();
    for (id, block) in reference {
        while let Some((_, other)) = others.next_if(|other| other.0 < *id) {
            theirs.push(other.clone());
        }
        match others.next_if(|other| other.0 == *id) {
            Some((_, other)) => pairs.push((block.clone(), other.clone())),
            None => ours.push(block.clone()),
        }
    }
    theirs.extend(others.map(|(_, block)| block.clone()));
    let mean = |blocks: &[Block]| blocks.iter().map(size).sum::<f64>() / blocks.len() as f64;
    let larger = mean(&ours) / mean(&theirs);
    if larger > UNEQUAL {
        thin(&mut ours, 1.0 / larger, random);
    } else if larger < 1.0 / UNEQUAL {
        thin(&mut theirs, larger, random);
    }
    let mut sides = Sides::new(cells);
    ours.iter().chain(pairs.iter().map(|pair| &pair.0)).for_each(|block| add(&mut sides.reference, block));
    theirs.iter().chain(pairs.iter().map(|pair| &pair.1)).for_each(|block| add(&mut sides.current, block));
    let current = theirs.len();
    ours.append(&mut theirs);
    (Exchange::Clusters { blocks: ours, current, pairs, ratio }, sides)
}

/// Keeps each row with a chance. Clusters of which no row is left stay, as clusters with nothing in them.
fn thin(blocks: &mut [Block], chance: f64, random: &mut Random) {
    for (_, count) in blocks.iter_mut().flatten() {
        *count = random.binomial(whole(*count), chance) as f64;
    }
}

/// The rows with a value, by stratum and cluster, both ascending.
fn by_stratum(rows: &Rows) -> Vec<Stratum> {
    let label = |at: usize, cell: u32| {
        let stratum = rows.strata.as_ref().and_then(|strata| strata.get(at)).copied().unwrap_or(0);
        let cluster = rows.clusters.as_ref().and_then(|clusters| clusters.get(at)).copied().unwrap_or(0);
        (stratum, cluster, cell)
    };
    let mut labels: Vec<(u16, u64, u32)> = rows
        .cells
        .iter()
        .enumerate()
        .filter(|(_, cell)| **cell != Side::MISSING)
        .map(|(at, cell)| label(at, *cell))
        .collect();
    labels.sort_unstable();
    let mut strata: Vec<Stratum> = Vec::new();
    for same in labels.chunk_by(|one, two| (one.0, one.1) == (two.0, two.1)) {
        let Some((stratum, cluster, _)) = same.first().copied() else { continue };
        let cells = same.chunk_by(|one, two| one.2 == two.2);
        let block = cells.filter_map(|same| same.first().map(|row| (row.2, same.len() as f64))).collect();
        match strata.last_mut().filter(|last| last.0 == stratum) {
            Some((_, clusters)) => clusters.push((cluster, block)),
            None => strata.push((stratum, vec![(cluster, block)])),
        }
    }
    strata
}

fn total(clusters: &[(u64, Block)], cells: usize) -> Vec<f64> {
    let mut sum = vec![0.0; cells];
    clusters.iter().for_each(|(_, block)| add(&mut sum, block));
    sum
}

fn add(sum: &mut [f64], block: &Block) {
    for (cell, count) in block {
        if let Some(sum) = sum.get_mut(*cell as usize) {
            *sum += count;
        }
    }
}

fn size(block: &Block) -> f64 {
    block.iter().map(|(_, count)| count).sum()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count kept as a float")]
const fn whole(count: f64) -> u64 {
    count as u64
}
