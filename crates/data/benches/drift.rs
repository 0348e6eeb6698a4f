//! How often drift is reported where there is none, and what a comparison costs.
//!
//! `cargo bench -p bartizan-data --bench drift -- [false-alarms [TRIALS [GROUP]] | times]`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench prints, and one that meets the unexpected must fail"
)]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]
#![expect(clippy::cast_precision_loss, reason = "counts of trials and rows")]

use std::time::Instant;

use bartizan_data::drift::{
    ClusterCounts, Clusters, Column, Comparison, Edges, Numbers, Options, Plan, Random, Side, Statistic,
    chi_squared, judge,
};

const SHARES: [Statistic; 5] = [
    Statistic::Psi,
    Statistic::JensenShannon,
    Statistic::LInfinity,
    Statistic::Hellinger,
    Statistic::ChiSquared,
];
const ORDERED: [Statistic; 2] = [Statistic::KolmogorovSmirnov, Statistic::Wasserstein];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let what = arguments.first().map_or("times", String::as_str);
    match what {
        "false-alarms" => {
            let trials = arguments.get(1).map_or(10_000, |trials| trials.parse().unwrap());
            false_alarms(trials, arguments.get(2).map(String::as_str));
        }
        _ => times(),
    }
}

/// Alarms at 0.05 and 0.01.
#[derive(Default, Clone, Copy)]
struct Alarms {
    trials: u32,
    at: [u32; 2],
}

const LEVELS: [f64; 2] = [0.05, 0.01];

impl Alarms {
    fn add(&mut self, p: f64) {
        self.trials += 1;
        for (count, level) in self.at.iter_mut().zip(LEVELS) {
            *count += u32::from(p <= level);
        }
    }

    /// Rates as multiples of the level, with 95 % of chance.
    fn show(self) -> String {
        let one = |(count, level): (u32, f64)| {
            let rate = f64::from(count) / f64::from(self.trials);
            let chance = 1.96 * (level * (1.0 - level) / f64::from(self.trials)).sqrt();
            format!("{:.4} ({:.2}x +-{:.2})", rate, rate / level, chance / level)
        };
        self.at.into_iter().zip(LEVELS).map(one).collect::<Vec<_>>().join("  ")
    }
}

fn options(seed: u64) -> Options {
    Options { plan: Plan { stop_after: 10, max_draws: 1_999, seed }, ..Options::default() }
}

fn p_of(statistic: Statistic, sides: (Side<'_>, Side<'_>), comparison: &Comparison<'_>, seed: u64) -> f64 {
    let column = Column { statistic: Some(statistic), ..Column::new("column", sides.0, sides.1) };
    judge(&column, comparison, &options(seed)).first().unwrap().p.unwrap().0
}

fn false_alarms(trials: u32, only: Option<&str>) {
    let wanted = |group: &str| only.is_none_or(|only| only == group);
    println!("alarms where nothing drifts, at 0.05 and at 0.01, as multiples of these, with 95 % of chance");
    let even = vec![0.1; 10];
    let skewed = normalised((1..=30).map(|bin| 1.0 / f64::from(bin * bin)).collect());
    for (name, shares) in [("even", &even), ("skewed", &skewed)] {
        for (n, m) in [
            (100, 100),
            (1_000, 100),
            (1_000, 1_000),
            (10_000, 10_000),
            (100_000, 1_000),
            (1_000_000, 1_000_000),
        ] {
            if wanted("independent") {
                independent(name, shares, (n, m), trials);
            }
        }
        for (n, m) in
            [(100, 100), (1_000, 1_000), (10_000, 10_000), (100_000, 10_000), (1_000_000, 1_000_000)]
        {
            if wanted("clustered") {
                clustered(name, shares, (n, m), trials);
            }
        }
    }
    for (n, m) in [(100, 100), (1_000, 100), (10_000, 10_000), (1_000_000, 1_000_000)] {
        if wanted("ordered") {
            for name in ["continuous", "counts"] {
                ordered(name, (n, m), trials);
            }
        }
    }
    for (n, m) in [(100, 100), (1_000, 1_000), (10_000, 10_000)] {
        if wanted("ordered-clustered") {
            ordered_clustered((n, m), trials);
        }
    }
    for (n, m) in [(100, 100), (1_000, 100), (100, 1_000), (10_000, 10_000)] {
        if wanted("edges") {
            reference_edges((n, m), trials);
        }
    }
}

fn independent(name: &str, shares: &[f64], (n, m): (u64, u64), trials: u32) {
    let mut random = Random::new(n ^ m << 20);
    let (mut alarms, mut naive) = ([Alarms::default(); 5], Alarms::default());
    for trial in 0..trials {
        let (one, two) = (multinomial(n, shares, &mut random), multinomial(m, shares, &mut random));
        let sides = (Side::CategoryCounts(&one, 0), Side::CategoryCounts(&two, 0));
        for (alarms, statistic) in alarms.iter_mut().zip(SHARES) {
            alarms.add(p_of(statistic, sides, &Comparison::default(), u64::from(trial)));
        }
        naive.add(formula(&one, &two));
    }
    report(&format!("rows     {name:<10} {n:>7} {m:>7}"), &alarms, &SHARES, Some(naive));
}

/// Clusters of up to 20 rows, but at least 20 of them a side, whose shares scatter around the common ones: rows of a
/// cluster have a correlation of 1 / 6.
fn clustered(name: &str, shares: &[f64], (n, m): (u64, u64), trials: u32) {
    let mut random = Random::new(n ^ m << 20);
    let rows = (n.min(m) / 20).clamp(2, 1_000);
    let (mut alarms, mut naive) = ([Alarms::default(); 5], Alarms::default());
    for trial in 0..trials {
        let mut cluster = || multinomial(rows, &scattered(shares, 5.0, &mut random), &mut random);
        let mut side = |size: u64| -> Vec<ClusterCounts> {
            (0..size / rows).map(|_| ClusterCounts { stratum: 0, counts: cluster() }).collect()
        };
        let (one, two) = (side(n), side(m));
        let sides = (Side::Clusters(&one), Side::Clusters(&two));
        for (alarms, statistic) in alarms.iter_mut().zip(SHARES) {
            alarms.add(p_of(statistic, sides, &Comparison::default(), u64::from(trial)));
        }
        naive.add(formula(&summed(&one), &summed(&two)));
    }
    report(&format!("clusters {name:<10} {n:>7} {m:>7}"), &alarms, &SHARES, Some(naive));
}

fn ordered(name: &str, (n, m): (u64, u64), trials: u32) {
    let mut random = Random::new(n ^ m << 20);
    let mut alarms = [Alarms::default(); 2];
    // A log-normal on 5,000 places, so that a million values are drawn as counts.
    let places: Vec<f64> = (0..5_000).map(|place| (f64::from(place) / 600.0).exp()).collect();
    let shares = normalised(
        (0..5_000).map(|place| (-((f64::from(place) - 2_500.0) / 700.0).powi(2) / 2.0).exp()).collect(),
    );
    let trials = if n > 1_000 { trials / 5 } else { trials };
    for trial in 0..trials {
        if name == "continuous" && n <= 10_000 {
            let mut side = |size: u64| (0..size).map(|_| random.normal()).collect::<Vec<f64>>();
            let (one, two) = (side(n), side(m));
            for (alarms, statistic) in alarms.iter_mut().zip(ORDERED) {
                let sides = (Side::Numbers(&one), Side::Numbers(&two));
                alarms.add(p_of(statistic, sides, &Comparison::default(), u64::from(trial)));
            }
        } else {
            // "counts": a few whole numbers with many ties.
            let shares = if name == "counts" {
                normalised((1..=12).map(|k| 0.6_f64.powi(k)).collect())
            } else {
                shares.clone()
            };
            let mut side = |size: u64| {
                places.iter().copied().zip(multinomial(size, &shares, &mut random)).collect::<Vec<_>>()
            };
            let (one, two) = (side(n), side(m));
            for (alarms, statistic) in alarms.iter_mut().zip(ORDERED) {
                let sides = (Side::NumberCounts(&one, 0), Side::NumberCounts(&two, 0));
                alarms.add(p_of(statistic, sides, &Comparison::default(), u64::from(trial)));
            }
        }
    }
    report(&format!("rows     {name:<10} {n:>7} {m:>7}"), &alarms, &ORDERED, None);
}

/// Values around the mean of their cluster, with half of the variance between clusters.
fn ordered_clustered((n, m): (u64, u64), trials: u32) {
    let mut random = Random::new(n ^ m << 20);
    let rows = (n.min(m) / 20).clamp(2, 100);
    let mut alarms = [Alarms::default(); 2];
    let trials = if n > 1_000 { trials / 5 } else { trials };
    for trial in 0..trials {
        let mut side = |size: u64, first: u64| {
            let (mut values, mut clusters) = (Vec::new(), Vec::new());
            for cluster in 0..size / rows {
                let centre = random.normal();
                values.extend((0..rows).map(|_| centre + random.normal()));
                clusters.extend((0..rows).map(|_| first + cluster));
            }
            (values, clusters)
        };
        let (one, two) = (side(n, 0), side(m, n));
        let comparison =
            Comparison { clusters: Some(Clusters { reference: &one.1, current: &two.1 }), strata: None };
        for (alarms, statistic) in alarms.iter_mut().zip(ORDERED) {
            let sides = (Side::Numbers(&one.0), Side::Numbers(&two.0));
            alarms.add(p_of(statistic, sides, &comparison, u64::from(trial)));
        }
    }
    report(&format!("clusters continuous {n:>7} {m:>7}"), &alarms, &ORDERED, None);
}

/// Bins at the tenths of the reference: as those of every draw; as edges that stay, without and with saying so.
fn reference_edges((n, m): (u64, u64), trials: u32) {
    let mut random = Random::new(n ^ m << 20);
    let mut alarms = [[Alarms::default(); 5]; 3];
    for trial in 0..trials {
        let mut side = |size: u64| (0..size).map(|_| random.normal()).collect::<Vec<f64>>();
        let (one, two) = (side(n), side(m));
        let edges = Edges::quantiles(&Numbers::new(&one), 10);
        let ways = [(None, false), (Some(&edges), false), (Some(&edges), true)];
        for (alarms, (edges, edges_of_reference)) in alarms.iter_mut().zip(ways) {
            for (alarms, statistic) in alarms.iter_mut().zip(SHARES) {
                let column = Column {
                    statistic: Some(statistic),
                    edges,
                    edges_of_reference,
                    ..Column::new("column", Side::Numbers(&one), Side::Numbers(&two))
                };
                let lines = judge(&column, &Comparison::default(), &options(u64::from(trial)));
                alarms.add(lines[0].p.unwrap().0);
            }
        }
    }
    for (alarms, name) in alarms.iter().zip(["by draw", "untold", "told"]) {
        report(&format!("edges    {name:<10} {n:>7} {m:>7}"), alarms, &SHARES, None);
    }
}

fn report(name: &str, alarms: &[Alarms], statistics: &[Statistic], naive: Option<Alarms>) {
    for (alarms, statistic) in alarms.iter().zip(statistics) {
        println!("{name}  {:<16} {}", statistic.id(), alarms.show());
    }
    if let Some(naive) = naive {
        println!("{name}  {:<16} {}", "(the formula)", naive.show());
    }
}

/// One comparison, everything included.
fn times() {
    let mut random = Random::new(7);
    println!("one column, 1,000 permutations, milliseconds");
    for size in [1_000_u64, 100_000, 1_000_000] {
        let mut side = || (0..size).map(|_| random.normal()).collect::<Vec<f64>>();
        let (one, two) = (side(), side());
        let ids = |first: u64| (0..size).map(|row| first + row / 100).collect::<Vec<u64>>();
        let (clusters, others) = (ids(0), ids(size));
        let clustered =
            Comparison { clusters: Some(Clusters { reference: &clusters, current: &others }), strata: None };
        for statistic in Statistic::ALL {
            for (name, comparison) in [("rows", &Comparison::default()), ("clusters of 100", &clustered)] {
                let begun = Instant::now();
                let plan = Plan { stop_after: 1_000, max_draws: 1_000, seed: 1 };
                let options = Options { plan, ..Options::default() };
                let sides = (Side::Numbers(&one), Side::Numbers(&two));
                let column = Column { statistic: Some(statistic), ..Column::new("column", sides.0, sides.1) };
                let lines = judge(&column, comparison, &options);
                let taken = begun.elapsed().as_secs_f64() * 1_000.0;
                println!(
                    "{size:>8} {:<16} {name:<16} {taken:>9.1}  ({} draws)",
                    statistic.id(),
                    lines[0].draws
                );
            }
        }
    }
}

/// The p-value of the textbook: chi-squared with k - 1 degrees of freedom, rows taken as independent.
fn formula(one: &[u64], two: &[u64]) -> f64 {
    let used = one.iter().zip(two).filter(|(one, two)| **one + **two > 0).count();
    upper_gamma((used as f64 - 1.0) / 2.0, chi_squared(one, two).unwrap() / 2.0)
}

/// The regularised upper incomplete gamma function, by the recurrence from a = 1/2 or 1 (a is a half or whole).
fn upper_gamma(a: f64, x: f64) -> f64 {
    if a <= 0.0 {
        return 1.0;
    }
    if x > 10.0 * a + 200.0 {
        return 0.0;
    }
    // Series of the lower function, which converges for every x.
    let (mut term, mut sum, mut k) = (1.0 / a, 1.0 / a, a);
    while term > sum * 1e-16 {
        k += 1.0;
        term *= x / k;
        sum += term;
    }
    1.0 - (a * x.ln() - x - log_gamma(a)).exp() * sum
}

fn log_gamma(a: f64) -> f64 {
    if a < 10.0 {
        return log_gamma(a + 1.0) - a.ln();
    }
    (a - 0.5) * a.ln() - a + 0.918_938_533_204_672_8 + 1.0 / (12.0 * a) - 1.0 / (360.0 * a * a * a)
}

fn normalised(mut shares: Vec<f64>) -> Vec<f64> {
    let sum: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= sum);
    shares
}

fn multinomial(size: u64, shares: &[f64], random: &mut Random) -> Vec<u64> {
    let (mut left, mut rest) = (size, 1.0);
    let mut count = |share: &f64| {
        let chance = if rest > 0.0 { (share / rest).clamp(0.0, 1.0) } else { 1.0 };
        let drawn = if chance >= 1.0 { left } else { random.binomial(left, chance) };
        left -= drawn;
        rest -= share;
        drawn
    };
    let mut counts: Vec<u64> = shares.iter().map(&mut count).collect();
    if let Some(last) = counts.last_mut() {
        *last += left;
    }
    counts
}

/// A Dirichlet draw around the shares.
fn scattered(shares: &[f64], concentration: f64, random: &mut Random) -> Vec<f64> {
    normalised(shares.iter().map(|share| random.gamma(share * concentration) + 1e-300).collect())
}

fn summed(clusters: &[ClusterCounts]) -> Vec<u64> {
    let mut sums = vec![0; clusters[0].counts.len()];
    for cluster in clusters {
        sums.iter_mut().zip(&cluster.counts).for_each(|(sum, count)| *sum += count);
    }
    sums
}
