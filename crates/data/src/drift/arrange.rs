//! Rows put into strata and clusters, ready to be exchanged.

#![expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]

use std::collections::BTreeMap;

use super::cells::Cells;
use super::compare::{ClusterCounts, Side};
use super::draw::{Sides, add};
use super::null::{Block, Design, Exchange};
use super::random::Random;
use super::report::NotJudged;
use super::statistic::{Statistic, Undefined};
use super::summary::Bounded;

/// The rows of one side: a cell for each, and what they belong to.
pub(super) struct Rows<'a> {
    pub(super) cells: Vec<u32>,
    pub(super) clusters: Option<&'a [u64]>,
    pub(super) strata: Option<&'a [u16]>,
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
    /// The sides of the test.
    pub(super) const fn tested(&self) -> &Sides {
        &self.tested
    }

    /// The statistic to report, given its exact `value` where strata do not weigh, and the statistic to test.
    pub(super) fn values(
        &self,
        statistic: Statistic,
        value: Bounded,
    ) -> Result<(Bounded, Bounded), NotJudged> {
        let of = |sides: &Sides| self.design.measure(statistic, sides);
        let value = if self.weighted { Bounded::exact(of(&self.all)?) } else { value };
        Ok((value, Bounded::exact(of(&self.tested)?)))
    }
}

/// Clusters larger on one side than on the other by more than this are thinned.
const UNEQUAL: f64 = 1.25;

/// One stratum, by cluster.
type Stratum = (u16, Vec<(u64, Block)>);

/// Arranges rows. Strata without current rows do not count.
pub(super) fn arrange(
    one: &Rows<'_>,
    two: &Rows<'_>,
    cells: &Cells,
    seed: u64,
) -> Result<Arranged, NotJudged> {
    let kind = (one.clusters.is_some(), one.strata.is_some());
    arrange_strata(&by_stratum(one), &by_stratum(two), kind, cells, seed)
}

/// Arranges clusters that are counted already, none of them on both sides.
pub(super) fn arrange_counts(
    one: &[ClusterCounts],
    two: &[ClusterCounts],
    cells: &Cells,
    seed: u64,
) -> Result<Arranged, NotJudged> {
    let strata = |counts: &[ClusterCounts], first: u64| -> Vec<Stratum> {
        let mut strata: BTreeMap<u16, Vec<(u64, Block)>> = BTreeMap::new();
        for (id, cluster) in (first..).zip(counts) {
            let used = (0_u32..).zip(&cluster.counts).filter(|(_, count)| **count > 0);
            let block: Block = used.map(|(cell, count)| (cell, *count as f32)).collect();
            if !block.is_empty() {
                strata.entry(cluster.stratum).or_default().push((id, block));
            }
        }
        strata.into_iter().collect()
    };
    let (here, there) = (strata(one, 0), strata(two, one.len() as u64));
    let stratified = one.iter().chain(two).any(|cluster| cluster.stratum != 0);
    arrange_strata(&here, &there, (true, stratified), cells, seed)
}

fn arrange_strata(
    here: &[Stratum],
    there: &[Stratum],
    (clustered, weighted): (bool, bool),
    cells: &Cells,
    seed: u64,
) -> Result<Arranged, NotJudged> {
    let mut random = Random::named(seed, "thinning of clusters");
    let alone = there.len() == 1;
    let (mut tested, mut all) = (Sides::new(cells.len()), Sides::new(cells.len()));
    let (mut clusters, mut strata) = ((0_u64, 0_u64), Vec::new());
    for (stratum, current) in there {
        let reference = here.iter().find(|other| other.0 == *stratum).map(|other| &other.1);
        // Without a reference there is nothing to compare these rows with; a season's fall-back avoids it.
        let none = if here.is_empty() { Undefined::NoReference.into() } else { NotJudged::StratumUnmatched };
        let reference = reference.ok_or(none)?;
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
    let design = Design::of(strata, cells);
    Ok(Arranged { design, weighted, tested, all, clusters })
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
        *count = random.binomial(whole(f64::from(*count)), chance) as f32;
    }
}

/// The rows with a value, by stratum and cluster, both ascending.
fn by_stratum(rows: &Rows<'_>) -> Vec<Stratum> {
    let label = |at: usize, cell: u32| {
        let stratum = rows.strata.and_then(|strata| strata.get(at)).copied().unwrap_or(0);
        let cluster = rows.clusters.and_then(|clusters| clusters.get(at)).copied().unwrap_or(0);
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
        let block = cells.filter_map(|same| same.first().map(|row| (row.2, same.len() as f32))).collect();
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

fn size(block: &Block) -> f64 {
    block.iter().map(|(_, count)| f64::from(*count)).sum()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count kept as a float")]
const fn whole(count: f64) -> u64 {
    count as u64
}
