//! Tails against SciPy 1.17.1 and adjusted values against statsmodels 0.15.0.
//!
//! The numbers are `stats.binom.logsf(k - 1, n, p)`, `binom.logcdf`, `hypergeom.logsf(k - 1, N, K, n)`,
//! `poisson.logsf(k - 1, m)`, `chi2.logsf(x, d)`, `log(2) + norm.logsf(z)`, `binomtest(k, n).proportion_ci(0.99,
//! "exact")`, and `multipletests(p, method="fdr_bh")`.

use super::*;

#[track_caller]
fn near(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1e-4), "{ours} is not {theirs}");
}

#[test]
fn binomial_tails_are_those_of_scipy() {
    for (n, p, k, upper, lower) in [
        (10.0, 0.3, 5.0, -1.8953326990332149, -0.04850664113588599),
        (240.0, 0.24, 240.0, -342.507925353635, 0.0),
        (1e3, 0.5, 450.0, -0.0006961130276748018, -7.052471223325111),
        (1e6, 0.001, 1200.0, -21.50204964402207, -3.805746829513055e-10),
        (50.0, 0.9, 10.0, 0.0, -70.07691341791357),
        (100.0, 0.01, 0.0, 0.0, -1.0050335853501442),
    ] {
        near(binomial_upper(n, p, k), upper);
        near(binomial_lower(n, p, k), lower);
    }
}

#[test]
fn hypergeometric_tails_are_those_of_scipy() {
    for (all, marked, drawn, k, upper, lower) in [
        (100.0, 30.0, 20.0, 10.0, -3.4836089388295757, -0.008494790256423756),
        (30162.0, 7508.0, 169.0, 153.0, -167.7289938525974, 0.0),
        (1000.0, 500.0, 20.0, 0.0, 0.0, -14.056735012805802),
        (50.0, 10.0, 45.0, 5.0, 0.0, -9.036912482352346),
        (1000.0, 999.0, 20.0, 19.0, 0.0, -3.912023005435545),
    ] {
        near(hypergeometric_upper(all, marked, drawn, k), upper);
        near(hypergeometric_lower(all, marked, drawn, k), lower);
    }
}

#[test]
fn other_tails_are_those_of_scipy() {
    for (mean, k, ln) in [
        (0.01, 40.0, -294.53720322350995),
        (3.5, 3.0, -0.3869091382461571),
        (1000.0, 900.0, -0.0006227916787586114),
        (0.5, 0.0, 0.0),
    ] {
        near(poisson_upper(mean, k), ln);
    }
    for (x, degrees, ln) in [
        (3.84, 1.0, -2.9948622271800254),
        (0.5, 10.0, -6.611732418488859e-06),
        (500.0, 100.0, -123.79720038136867),
        (60.0, 3.0, -28.162350388904997),
        (95.0, 100.0, -0.47388428224385115),
    ] {
        near(chi_squared_upper(x, degrees), ln);
    }
    for (z, ln) in [
        (0.5, -0.4827645810336735),
        (1.96, -2.995816471169693),
        (10.0, -52.53813796995253),
        (38.0, -725.8640688382602),
    ] {
        near(normal_both(z), ln);
    }
}

#[test]
fn intervals_are_those_of_scipy() {
    for (n, k, low, high) in [
        (100.0, 7.0, 0.02078993032962374, 0.16280285558442295),
        (1000.0, 0.0, 0.0, 0.005284306039498009),
        (20.0, 20.0, 0.7672704990114109, 1.0),
    ] {
        let ours = share_interval(n, k, 0.01);
        near(ours.0, low);
        near(ours.1, high);
    }
}

#[test]
fn adjusted_values_are_those_of_statsmodels() {
    let ln: Vec<f64> = [0.001_f64, 0.04, 0.03, 0.5, 0.9, 0.01].iter().map(|p| p.ln()).collect();
    for (dependent, theirs) in
        [(false, [0.006, 0.06, 0.06, 0.6, 0.9, 0.03]), (true, [0.0147, 0.147, 0.147, 1.0, 1.0, 0.0735])]
    {
        for (ours, theirs) in adjusted(&ln, dependent).into_iter().zip(theirs) {
            near(ours.exp(), theirs);
        }
    }
}

/// The exact distribution of a sum of independent events, by convolution.
fn exact(probabilities: &[f64], k: usize) -> f64 {
    let mut mass = vec![1.0];
    for p in probabilities {
        let mut next = vec![0.0; mass.len() + 1];
        for (count, share) in mass.iter().enumerate() {
            next[count] += share * (1.0 - p);
            next[count + 1] += share * p;
        }
        mass = next;
    }
    mass.iter().skip(k).sum()
}

#[test]
fn bounds_for_events_hold_and_are_not_idle() {
    let cases = [
        vec![0.1; 30],
        (1..40).map(|i| f64::from(i) / 41.0).collect(),
        vec![0.001, 0.9, 0.9, 0.3, 0.2, 0.01],
    ];
    for probabilities in &cases {
        for k in 1..=probabilities.len() {
            let (bound, truth) = (events_upper(probabilities, k as f64), exact(probabilities, k).ln());
            assert!(bound >= truth - 1e-9, "k = {k}: {bound} is below {truth}");
            let mean: f64 = probabilities.iter().sum();
            assert!((k as f64) < mean + 1.0 || bound < truth + 6.0, "k = {k}: {bound} is far above {truth}");
        }
    }
}

#[test]
fn chances_read_well() {
    for (ln, text) in [
        (0.0, "1.0000"),
        (-2.0, "0.1353"),
        (-230.2585, "1.0e-100"),
        (-13.8155, "1.0e-6"),
        (-920.0, "2.8e-400"),
    ] {
        assert_eq!(Chance::new(ln, "").to_string(), text);
    }
}
