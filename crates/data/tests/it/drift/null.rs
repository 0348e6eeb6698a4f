//! How often drift is said where there is none: fixed seeds, so that these hold for ever or not at all.

use bartizan_data::drift::{
    ClusterCounts, Clusters, Column, Comparison, Dependence, Edges, Numbers, Options, Plan, Random, Side,
    Statistic, Strata, adjust, judge,
};

use super::{calibrated, multinomial, normals};

fn p_of(column: Column<'_>, comparison: &Comparison<'_>, seed: u64) -> f64 {
    let plan = Plan { stop_after: 10, max_draws: 999, seed };
    let options = Options { plan, ..Options::default() };
    judge(&column, comparison, &options)[0].p.unwrap().0
}

#[test]
fn p_is_uniform_for_independent_rows_of_few_and_rare_categories() {
    let mut random = Random::new(1);
    for statistic in [Statistic::Psi, Statistic::JensenShannon, Statistic::LInfinity, Statistic::ChiSquared] {
        let mut p_values = Vec::new();
        for seed in 0..2_000 {
            let side = |size, random: &mut Random| multinomial(size, &[0.9, 0.06, 0.03, 0.01], random);
            let (one, two) = (side(120, &mut random), side(80, &mut random));
            let sides = (Side::CategoryCounts(&one, 0), Side::CategoryCounts(&two, 0));
            let column = Column { statistic: Some(statistic), ..Column::new("c", sides.0, sides.1) };
            p_values.push(p_of(column, &Comparison::default(), seed));
        }
        calibrated(&p_values);
    }
}

#[test]
fn p_is_uniform_for_independent_numbers() {
    let mut random = Random::new(2);
    for statistic in [Statistic::KolmogorovSmirnov, Statistic::Wasserstein, Statistic::Hellinger] {
        let mut p_values = Vec::new();
        for seed in 0..1_000 {
            let (one, two) = (normals(40, 0.0, &mut random), normals(70, 0.0, &mut random));
            let column = Column {
                statistic: Some(statistic),
                ..Column::new("c", Side::Numbers(&one), Side::Numbers(&two))
            };
            p_values.push(p_of(column, &Comparison::default(), seed));
        }
        calibrated(&p_values);
    }
}

#[test]
fn p_is_uniform_when_edges_come_from_the_reference() {
    let mut random = Random::new(3);
    let mut p_values = Vec::new();
    for seed in 0..2_000 {
        let (one, two) = (normals(60, 0.0, &mut random), normals(300, 0.0, &mut random));
        let edges = Edges::quantiles(&Numbers::new(&one), 10);
        let column = Column {
            statistic: Some(Statistic::Psi),
            edges: Some(&edges),
            edges_of_reference: true,
            ..Column::new("c", Side::Numbers(&one), Side::Numbers(&two))
        };
        p_values.push(p_of(column, &Comparison::default(), seed));
    }
    calibrated(&p_values);
}

#[test]
fn p_is_uniform_in_the_tenths_of_the_reference() {
    let mut random = Random::new(8);
    let (mut p_values, mut tied, mut of_clusters) = ([Vec::new(), Vec::new()], Vec::new(), Vec::new());
    fn tenths<'a>(statistic: Statistic, one: &'a [f64], two: &'a [f64]) -> Column<'a> {
        Column { statistic: Some(statistic), ..Column::new("c", Side::Numbers(one), Side::Numbers(two)) }
    }
    for seed in 0..1_000 {
        let (one, two) = (normals(60, 0.0, &mut random), normals(300, 0.0, &mut random));
        for (p_values, statistic) in p_values.iter_mut().zip([Statistic::Psi, Statistic::LInfinity]) {
            p_values.push(p_of(tenths(statistic, &one, &two), &Comparison::default(), seed));
        }
        // Numbers that come again and again make fewer bins, and not always as many.
        let mut counts = |rows: usize| -> Vec<f64> {
            normals(rows, 0.0, &mut random).iter().map(|one| one.round()).collect()
        };
        let (one, two) = (counts(80), counts(120));
        tied.push(p_of(tenths(Statistic::Hellinger, &one, &two), &Comparison::default(), seed));
        let (one, two) = (clustered(30, 0, 0.0, &mut random), clustered(20, 100, 0.0, &mut random));
        let clusters = Some(Clusters { reference: &one.1, current: &two.1 });
        let comparison = Comparison { clusters, strata: None };
        of_clusters.push(p_of(tenths(Statistic::Psi, &one.0, &two.0), &comparison, seed));
    }
    for p_values in [&p_values[0], &p_values[1], &tied, &of_clusters] {
        calibrated(p_values);
    }
}

/// Rows that come in clusters: sizes vary, and half of the variance is between clusters.
fn clustered(clusters: u64, first: u64, shift: f64, random: &mut Random) -> (Vec<f64>, Vec<u64>) {
    let (mut values, mut ids) = (Vec::new(), Vec::new());
    for cluster in 0..clusters {
        let centre = random.normal() + shift;
        for _ in 0..1 + random.below(9) {
            values.push(centre + random.normal());
            ids.push(first + cluster);
        }
    }
    (values, ids)
}

#[test]
fn p_is_uniform_for_clusters_and_far_from_it_without_them() {
    let mut random = Random::new(4);
    let (mut p_values, mut naive) = (Vec::new(), 0);
    for seed in 0..1_000 {
        let one = clustered(30, 0, 0.0, &mut random);
        let two = clustered(20, 100, 0.0, &mut random);
        let comparison =
            Comparison { clusters: Some(Clusters { reference: &one.1, current: &two.1 }), strata: None };
        let column = Column::new("c", Side::Numbers(&one.0), Side::Numbers(&two.0));
        p_values.push(p_of(column, &comparison, seed));
        naive += u32::from(p_of(column, &Comparison::default(), seed) <= 0.05);
    }
    calibrated(&p_values);
    assert!(naive > 200, "{naive} of 1,000 false alarms at 0.05 when rows are taken as independent");
}

#[test]
fn p_is_uniform_for_clusters_on_both_sides_and_of_unequal_sizes() {
    let mut random = Random::new(5);
    let (mut shared, mut unequal) = (Vec::new(), Vec::new());
    for seed in 0..1_000 {
        // The same forty users, with ten times as many rows in the reference.
        let (mut one, mut two) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for user in 0..40 {
            let centre = random.normal();
            one.0.extend((0..20).map(|_| centre + random.normal()));
            one.1.extend([user; 20]);
            two.0.extend((0..2).map(|_| centre + random.normal()));
            two.1.extend([user; 2]);
        }
        let clusters = Some(Clusters { reference: &one.1, current: &two.1 });
        let column = Column::new("c", Side::Numbers(&one.0), Side::Numbers(&two.0));
        shared.push(p_of(column, &Comparison { clusters, strata: None }, seed));
        // Other users, as unequal.
        let others: Vec<u64> = two.1.iter().map(|user| user + 100).collect();
        let fresh: Vec<f64> = (0..40)
            .flat_map(|_| {
                let centre = random.normal();
                [centre + random.normal(), centre + random.normal()]
            })
            .collect();
        let clusters = Some(Clusters { reference: &one.1, current: &others });
        let column = Column::new("c", Side::Numbers(&one.0), Side::Numbers(&fresh));
        unequal.push(p_of(column, &Comparison { clusters, strata: None }, seed));
    }
    calibrated(&shared);
    calibrated(&unequal);
}

#[test]
fn p_is_uniform_within_strata() {
    let mut random = Random::new(6);
    let mut p_values = Vec::new();
    for seed in 0..1_000 {
        // The current rows are of other hours than the reference, and hours differ.
        let mut side = |sizes: [usize; 2]| {
            let values: Vec<f64> =
                (0..2).flat_map(|hour| normals(sizes[hour], hour as f64 * 3.0, &mut random)).collect();
            let strata: Vec<u16> = (0..2_u16).flat_map(|hour| vec![hour; sizes[usize::from(hour)]]).collect();
            (values, strata)
        };
        let (one, two) = (side([60, 30]), side([15, 45]));
        let comparison = Comparison {
            clusters: None,
            strata: Some(Strata::Labels { reference: &one.1, current: &two.1 }),
        };
        p_values.push(p_of(
            Column::new("c", Side::Numbers(&one.0), Side::Numbers(&two.0)),
            &comparison,
            seed,
        ));
    }
    calibrated(&p_values);
}

#[test]
fn counted_clusters_are_whole() {
    let mut random = Random::new(7);
    let mut p_values = Vec::new();
    for seed in 0..1_000 {
        let mut side = |clusters: usize| -> Vec<ClusterCounts> {
            let cluster = |_| {
                let share = random.uniform();
                ClusterCounts { stratum: 0, counts: multinomial(50, &[share, 1.0 - share], &mut random) }
            };
            (0..clusters).map(cluster).collect()
        };
        let (one, two) = (side(25), side(10));
        p_values.push(p_of(
            Column::new("c", Side::Clusters(&one), Side::Clusters(&two)),
            &Comparison::default(),
            seed,
        ));
    }
    calibrated(&p_values);
}

/// `scipy.stats.false_discovery_control([0.01, 0.04, 0.03, 0.2, 0.002], method="bh")`, then `"by"`.
#[test]
fn adjusted_p_values_are_those_of_scipy() {
    let p_values = [0.01, 0.04, 0.03, 0.2, 0.002];
    let near = |adjusted: Vec<f64>, expected: [f64; 5]| {
        for (one, two) in adjusted.iter().zip(expected) {
            assert!((one - two).abs() < 1e-12, "{adjusted:?}");
        }
    };
    near(adjust(&p_values, Dependence::Positive), [0.025, 0.05, 0.05, 0.2, 0.01]);
    let by = [
        0.057_083_333_333_333_33,
        0.114_166_666_666_666_67,
        0.114_166_666_666_666_67,
        0.456_666_666_666_666_7,
        0.022_833_333_333_333_334,
    ];
    near(adjust(&p_values, Dependence::Any), by);
    assert!(adjust(&[], Dependence::Any).is_empty());
}
