//! Whether labels of one source, or of one writer, are suspected more often than those of the others.
//!
//! A source that flips labels at random keeps their shares, so only what a model says row by row betrays it. Rows are
//! compared with rows for which the model holds the same class likeliest and is about as sure (Mantel and Haenszel,
//! 1959), because a source may well have the rows that are hard to tell.
#![expect(clippy::indexing_slicing, reason = "a kernel over rows and strata that were counted here")]

use super::chance::{Chance, adjusted, events_upper};
use super::confident::{Probabilities, highest};
use super::sources::{SourceOptions, compared};
use super::table::{MISSING, Tag, counts};

/// Steps of how sure the model is, with as many rows each.
const STEPS: usize = 10;

/// A source whose labels are suspected too often.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Suspected {
    /// The code of the source.
    pub(super) source: u32,
    /// Its rows.
    pub(super) size: usize,
    /// Those with a suspected label, counted from 0, in the order in which they were given.
    pub(super) rows: Vec<u32>,
    /// The share of suspected labels among all rows that are not of the source.
    pub(super) other: f64,
    /// The share to expect, from such rows of which the model is as sure.
    pub(super) expected: f64,
    /// How likely so many are, over all sources.
    pub(super) chance: Chance,
}

impl Suspected {
    /// The share of suspected labels beyond what is to be expected.
    pub(super) fn effect(&self) -> f64 {
        self.rows.len() as f64 / self.size as f64 - self.expected
    }
}

/// Sources with more suspected labels than the others, the least likely first. `suspects` are rows of the table, of all of
/// which `probabilities` speak; the rate and the least share are those of `options`.
pub(super) fn suspected(
    tag: Tag<'_>,
    suspects: &[u32],
    probabilities: Probabilities<'_>,
    options: &SourceOptions,
) -> Vec<Suspected> {
    let rows = probabilities.rows();
    let sizes = counts(tag.codes.codes, tag.codes.values.len());
    let sources = compared(&sizes, rows);
    let (of, strata) = strata(probabilities, rows);
    let mut listed = vec![false; rows];
    suspects.iter().for_each(|row| listed[*row as usize] = true);
    let mut all = vec![(0.0, 0.0); strata];
    for (stratum, listed) in of.iter().zip(&listed) {
        all[*stratum].0 += 1.0;
        all[*stratum].1 += f64::from(u8::from(*listed));
    }
    let mut place = vec![usize::MAX; sizes.len()];
    sources.iter().enumerate().for_each(|(at, source)| place[*source] = at);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); sources.len()];
    for (row, code) in tag.codes.codes.iter().enumerate() {
        let source = if *code == MISSING { None } else { place.get(*code as usize) };
        if let Some(own) = source.and_then(|source| members.get_mut(*source)) {
            own.push(row);
        }
    }
    let mut found: Vec<Suspected> = Vec::with_capacity(sources.len());
    for (source, own) in sources.iter().zip(&members) {
        let mut here = vec![(0.0, 0.0); strata];
        for row in own {
            here[of[*row]].0 += 1.0;
            here[of[*row]].1 += f64::from(u8::from(listed[*row]));
        }
        let (n, hits) = here.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        // Given how many of a stratum are listed, those of the source are a draw from it.
        let shares: Vec<f64> = own.iter().map(|row| all[of[*row]].1 / all[of[*row]].0).collect();
        let expected = here.iter().zip(&all).map(|(own, all)| {
            let others = all.0 - own.0;
            own.0 * if others > 0.0 { (all.1 - own.1) / others } else { all.1 / all.0.max(1.0) }
        });
        let ln = events_upper(&shares, hits);
        found.push(Suspected {
            source: u32::try_from(*source).unwrap_or(MISSING),
            size: own.len(),
            rows: Vec::new(),
            other: (suspects.len() as f64 - hits) / (rows as f64 - n).max(1.0),
            expected: expected.sum::<f64>() / n,
            chance: Chance::new(ln, METHOD),
        });
    }
    let ln = adjusted(&found.iter().map(|one| one.chance.ln).collect::<Vec<f64>>(), true);
    for row in suspects {
        let code = tag.codes.codes[*row as usize];
        if let Some(one) = found.iter_mut().find(|one| one.source == code) {
            one.rows.push(*row);
        }
    }
    found.iter_mut().zip(ln).for_each(|(one, ln)| one.chance = Chance::new(ln, METHOD));
    found.retain(|one| one.chance.ln <= options.rate.ln() && one.effect() >= options.share);
    found.sort_by(|a, b| a.chance.ln.total_cmp(&b.chance.ln).then(a.source.cmp(&b.source)));
    found
}

const METHOD: &str =
    "bounds of Hoeffding and Chernoff for draws from rows that the model is as sure of, Benjamini-Yekutieli";

/// For each row the stratum that it is in, and how many of them there are.
fn strata(probabilities: Probabilities<'_>, rows: usize) -> (Vec<usize>, usize) {
    let likely: Vec<(usize, f64)> = (0..rows)
        .map(|row| {
            let class = highest(probabilities.row(row));
            (class, probabilities.row(row)[class])
        })
        .collect();
    let mut sorted: Vec<f64> = likely.iter().map(|(_, share)| *share).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let cuts: Vec<f64> = (1..STEPS).map(|step| sorted[step * rows / STEPS]).collect();
    let of = |(class, share): &(usize, f64)| class * STEPS + cuts.partition_point(|cut| cut <= share);
    (likely.iter().map(of).collect(), probabilities.classes() * STEPS)
}
