//! What a profile knows, and its stored forms.

use std::fs;
use std::path::PathBuf;

use bartizan_data::{
    ColumnType, CsvOptions, Profile, ProfileInvalid, ProfileOptions, Source, infer, profile,
};
use expect_test::expect;

use crate::formats::profiled;

fn golden(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/profile").join(name);
    fs::read(path).unwrap()
}

#[test]
fn a_profile_of_version_1_is_read_for_ever() {
    let old = Profile::from_bytes(&golden("v1/table.json")).unwrap();
    let (new, _) = infer(golden("v2/table.csv").as_slice(), &CsvOptions::default()).unwrap();
    assert_eq!((old.rows(), old.null()), (new.rows(), new.null()));
    for (old, new) in old.columns().iter().zip(new.columns()) {
        assert_eq!((old.name(), old.nulls(), old.kinds()), (new.name(), new.nulls(), new.kinds()));
        assert_eq!(
            (old.integers(), old.lowest(), old.highest()),
            (new.integers(), new.lowest(), new.highest())
        );
        assert_eq!((old.lengths(), old.values()), (new.lengths(), new.values()));
        assert!(old.moments().is_none() && new.moments().is_some());
    }
    // Together they know what the older one does, and are stored as such.
    let mut both = new.clone();
    both.merge(&old).unwrap();
    assert_eq!(
        (both.rows(), both.column("word").unwrap().values()),
        (12, Some(vec![("blue".into(), 2), ("red".into(), 6)]))
    );
    assert!(both.column("number").unwrap().quantiles().is_none());
    assert_eq!(Profile::from_bytes(&both.to_bytes().unwrap()).unwrap(), both);
}

#[test]
fn a_profile_of_version_2_is_read_for_ever() {
    let stored = golden("v2/table.profile");
    let (new, _) = infer(golden("v2/table.csv").as_slice(), &CsvOptions::default()).unwrap();
    assert_eq!(Profile::from_bytes(&stored).unwrap(), new);
    assert_eq!(new.to_bytes().unwrap(), stored);
    for cut in 0..stored.len() {
        assert!(Profile::from_bytes(&stored[..cut]).is_err(), "{cut}");
    }
    let longer = [stored.as_slice(), b"\0"].concat();
    assert!(matches!(Profile::from_bytes(&longer), Err(ProfileInvalid::Length)));
}

#[test]
fn many_values_are_sketched_and_few_are_not() {
    let mut csv = "few,many,word\n".to_owned();
    for row in 0..60_000_u64 {
        let many = row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16;
        csv.push_str(&format!("{},{many},w{}\n", row % 7, if row % 3 == 0 { 0 } else { row }));
    }
    let (profile, _) = profiled(csv.as_bytes(), 2).unwrap();
    let [few, many, word] = profile.columns() else { panic!("three columns") };
    assert_eq!((few.distinct(), few.distinct_estimate()), (Some(7), Some(7.0)));
    assert_eq!(
        few.top(2).iter().map(|top| (top.value.as_str(), top.lower)).collect::<Vec<_>>(),
        [("0", 8_572), ("1", 8_572)]
    );
    assert_eq!(many.distinct(), None);
    let within = |about: f64, exact: f64| (about / exact - 1.0).abs() < 0.033;
    assert!(within(many.distinct_estimate().unwrap(), 60_000.0), "{:?}", many.distinct_estimate());
    assert!(within(word.distinct_estimate().unwrap(), 40_001.0), "{:?}", word.distinct_estimate());
    let top = &word.top(1)[0];
    assert!(top.value == "w0" && top.lower <= 20_000 && top.upper >= 20_000, "{top:?}");
    let shape = &word.shapes()[0];
    assert_eq!((shape.value.as_str(), shape.lower, shape.upper), ("a9", 60_000, 60_000));
    let median = many.quantiles().unwrap().quantile(0.5).unwrap();
    assert!(within(median, 2_f64.powi(47)), "{median}");
    assert_eq!(Profile::from_bytes(&profile.to_bytes().unwrap()).unwrap(), profile);
}

#[test]
fn nested_values_have_columns_of_their_own() {
    let lines = br#"{"id":1,"at":{"city":"Oslo","zip":null},"tags":["a","b"],"pairs":[[1,2],[3]]}
{"id":2,"at":null,"tags":[],"pairs":null}
{"id":3,"tags":["a"],"more":{"x":true}}
"#;
    let (profile, _) = profiled(lines, 2).unwrap();
    let shown: String = profile
        .columns()
        .iter()
        .map(|column| {
            let (kind, lists) = (column.column_type(), column.list_lengths().map(|sizes| sizes.total));
            format!(
                "{} {kind} {} {} {lists:?} {:?}\n",
                column.name(),
                column.count(),
                column.nulls(),
                column.values()
            )
        })
        .collect();
    expect![[r#"
        id integer 3 0 None Some([("1", 1), ("2", 1), ("3", 1)])
        at.city string 3 2 None Some([("Oslo", 1)])
        tags[] string 3 0 None Some([("a", 2), ("b", 1)])
        tags list 3 0 Some(3) Some([])
        pairs[][] integer 3 0 None Some([("1", 1), ("2", 1), ("3", 1)])
        pairs[] list 2 0 Some(3) Some([])
        pairs list 3 2 Some(2) Some([])
        more.x boolean 3 2 None Some([("true", 1)])
        at.zip string 3 3 None Some([])
    "#]]
    .assert_eq(&shown);
}

#[test]
fn numbers_are_counted_between_frozen_edges() {
    let mut options = ProfileOptions::default();
    options.edges.insert("x".to_owned(), vec![0.0, 10.0, 20.0]);
    let csv = b"x,y\n-1,a\n0,a\n9.5,a\n10,a\n25,a\n,a\n";
    let (profile, _) = profile(Source::stream(&csv[..]), &options, 1).unwrap();
    let histogram = profile.column("x").unwrap().histogram().unwrap();
    assert_eq!((histogram.below(), histogram.bins(), histogram.above()), (1, &[2, 1][..], 1));
    assert_eq!(Profile::from_bytes(&profile.to_bytes().unwrap()).unwrap(), profile);
}

#[test]
fn people_see_what_is_there() {
    let mut csv = "amount,colour,id,day,note\n".to_owned();
    for row in 0..500 {
        let colour = ["red", "green", "red", "blue"][row % 4];
        let note = if row % 5 == 0 { "" } else { "same" };
        csv.push_str(&format!("{}.25,{colour},u{row}x,2026-01-{:02},{note}\n", row * row % 97, 1 + row % 28));
    }
    let (profile, _) = infer(csv.as_bytes(), &CsvOptions::default()).unwrap();
    assert_eq!(profile.column("day").unwrap().column_type(), ColumnType::Date);
    expect![[r#"
        500 rows, 5 columns
        column  type    missing  distinct  distribution   min   25 %  median   75 %    max   mean
        amount  float       0 %        49  █▄▃▄▃▄▄▃▄▃▄▆  0.25  22.25   48.25  73.25  96.25  47.68
        colour  string      0 %         3  █▄▄           red 50.0 %, blue 25.0 %, green 25.0 %
        id      string      0 %       500                like a9a 100 %
        day     date        0 %        28  ████████████  2026-01-01 to 2026-01-28
        note    string   20.0 %         1  █             same 100 %
    "#]]
    .assert_eq(&profile.render());
}
