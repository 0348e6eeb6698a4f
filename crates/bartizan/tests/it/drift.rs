//! `data drift` as its users run it.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::bench::{Bench, Ran, text};

/// Numbers that repeat on every machine.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Sales of so many days from a first one on. From the day `broken` on one shop reports ten times its amounts.
fn sales(first: u64, days: u64, broken: u64, seed: u64) -> String {
    let mut csv = "id,at,shop,kind,amount,fraud\n".to_owned();
    let mut numbers = Numbers(seed);
    for day in first..first + days {
        for row in 0..60 {
            let shop = numbers.below(4);
            let amount = 100 + numbers.below(900);
            let amount = if shop == 3 && day >= broken { amount * 10 } else { amount };
            let kind = match numbers.below(4) {
                0 => "cash",
                3 => "gift",
                _ => "card",
            };
            let at = format!("2024-{:02}-{:02} {:02}:00:00", 1 + day / 28, 1 + day % 28, row % 24);
            writeln!(csv, "{},{at},shop {shop},{kind},{amount},{}", day * 60 + row, numbers.below(10) / 9)
                .unwrap();
        }
    }
    csv
}

fn drift(bench: &Bench, files: &[&Path], options: &[&str]) -> Ran {
    let files = files.iter().map(|path| text(path));
    let arguments: Vec<&str> =
        ["data", "drift"].into_iter().chain(files).chain(options.iter().copied()).collect();
    bench.run(&arguments)
}

pub(crate) fn read(ran: &Ran) -> Value {
    assert!(ran.stdout.starts_with('{'), "{}{}", ran.stdout, ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The columns that drift in each comparison, with the kind of change.
pub(crate) fn drifted(report: &Value) -> Vec<(String, Vec<String>)> {
    let told = |comparison: &Value| {
        let lines = comparison["changes"].as_array().unwrap().iter();
        let lines = lines.filter(|line| line["verdict"] == "drift");
        let shown =
            |line: &Value| format!("{} {}", line["column"].as_str().unwrap(), line["kind"].as_str().unwrap());
        let label = comparison["label"].as_str().unwrap();
        (label.rsplit('/').next().unwrap().to_owned(), lines.map(shown).collect())
    };
    report["comparisons"].as_array().unwrap().iter().map(told).collect()
}

pub(crate) fn one(drifted: Vec<(String, Vec<String>)>) -> Vec<String> {
    assert_eq!(drifted.len(), 1);
    drifted.into_iter().next().unwrap().1
}

#[test]
fn a_table_like_the_one_before_ends_with_nought() {
    let bench = Bench::new();
    let old = bench.write("old.csv", sales(0, 20, 99, 1).as_bytes());
    let new = bench.write("new.csv", sales(20, 20, 99, 2).as_bytes());
    let ran = drift(&bench, &[&old, &new], &["--leave-out", "id,at", "--together"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let report = read(&ran);
    assert_eq!((report["outcome"].as_str(), report["mode"].as_str()), (Some("valid"), Some("exact")));
    assert_eq!(report["comparisons"][0]["together"]["verdict"], "no-drift");
    // Threads and another run change nothing.
    let again = drift(&bench, &[&old, &new], &["--leave-out", "id,at", "--together", "--threads", "3"]);
    assert_eq!(ran.stdout, again.stdout);
    let plain = bench.shown(&["data", "drift", text(&old), text(&new), "--leave-out", "id,at"]);
    assert!(plain.stdout.ends_with("outcome: no drift\n"), "{}", plain.stdout);
}

#[test]
fn a_source_that_breaks_is_named() {
    let bench = Bench::new();
    let old = bench.write("old.csv", sales(0, 20, 99, 1).as_bytes());
    let new = bench.write("new.csv", sales(20, 20, 30, 2).as_bytes());
    let ran = drift(&bench, &[&old, &new], &["--leave-out", "id", "--time", "at", "--source", "shop"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let report = read(&ran);
    assert_eq!(one(drifted(&report)), ["amount suspected-attack"]);
    let change = &report["comparisons"][0]["changes"][1];
    assert_eq!(change["column"], "amount");
    let reasons = change["reasons"].to_string();
    assert!(reasons.contains("source `shop 3` carries") && reasons.contains("2024-02-0"), "{reasons}");
    // Without a time the source is named all the same; without anything the numbers of rows are recognised.
    let ran = drift(&bench, &[&old, &new], &["--columns", "amount", "--source", "shop"]);
    assert_eq!(one(drifted(&read(&ran))), ["amount one-source"]);
    let ran = drift(&bench, &[&old, &new], &["--columns", "id,amount"]);
    assert_eq!(one(drifted(&read(&ran))), ["id counter", "amount unknown"]);
    let ran = bench.shown(&["data", "drift", text(&old), text(&new), "--columns", "amount"]);
    for part in [
        "1 of 1 comparisons drift",
        "amount: median",
        "how much",
        "by chance",
        "outcome: drift",
        "next: name the columns that tell",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
}

/// Readings of so many weeks, 15 an hour: a load that is high by day, and a value that one row in twenty has, around `mean`.
fn readings(first: u64, weeks: u64, mean: u64, seed: u64) -> String {
    let mut numbers = Numbers(seed);
    let mut csv = "at,load,seldom\n".to_owned();
    for row in 0..weeks * 168 * 15 {
        let minutes = (first * 168 * 60) + row * 4;
        let (day, hour, minute) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
        let at = format!("2024-{:02}-{:02}T{hour:02}:{minute:02}:00Z", 1 + day / 28, 1 + day % 28);
        let load = numbers.below(50) + if (8..20).contains(&hour) { 100 } else { 0 };
        let seldom = numbers.below(100);
        let filled = numbers.below(20) == 0;
        writeln!(csv, "{at},{load},{}", if filled { (mean + seldom).to_string() } else { String::new() })
            .unwrap();
    }
    csv
}

#[test]
fn a_season_is_no_drift_and_hides_none() {
    let bench = Bench::new();
    let old = bench.write("old.csv", readings(0, 3, 0, 1).as_bytes());
    // The new rows are those of days, which is no drift of the load.
    let same = readings(4, 1, 0, 2);
    let by_day = |line: &&str| {
        line.contains("at") || (8..20).contains(&line.get(11..13).unwrap().parse::<u32>().unwrap())
    };
    let days: Vec<&str> = same.lines().filter(by_day).collect();
    let days = bench.write("days.csv", format!("{}\n", days.join("\n")).as_bytes());
    let season = ["--time", "at", "--season"];
    let plain = one(drifted(&read(&drift(&bench, &[&old, &days], &season[..2]))));
    assert!(plain.len() == 1 && plain[0].starts_with("load "), "{plain:?}");
    let ran = drift(&bench, &[&old, &days], &season);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    // A value that is seldom there has too few of each hour, and drifts all the same.
    let new = bench.write("new.csv", readings(4, 1, 80, 2).as_bytes());
    let ran = drift(&bench, &[&old, &new], &season);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(drifted(&read(&ran))[0].1.len(), 1, "{}", ran.stdout);
    // A row without a time is left out and counted; where they are many there is no verdict.
    let mut lines: Vec<String> = same.lines().map(str::to_owned).collect();
    lines[7] = format!(",{}", lines[7].get(21..).unwrap());
    let file = bench.write("one.csv", format!("{}\n", lines.join("\n")).as_bytes());
    let ran = drift(&bench, &[&old, &file], &season);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let without = &read(&ran)["comparisons"][0]["without_time"];
    assert_eq!((without["reference"].as_u64(), without["current"].as_u64()), (Some(0), Some(1)));
    lines.iter_mut().skip(8).step_by(10).for_each(|line| *line = format!(",{}", line.get(21..).unwrap()));
    let file = bench.write("many.csv", format!("{}\n", lines.join("\n")).as_bytes());
    let ran = drift(&bench, &[&old, &file], &season);
    assert_eq!((ran.code, read(&ran)["outcome"].as_str()), (1, Some("error")), "{}", ran.stdout);
    assert!(ran.stdout.contains("hours-unknown"), "{}", ran.stdout);
}

#[test]
fn periods_and_groups_are_compared_with_the_first_or_the_one_before() {
    let bench = Bench::new();
    let file = bench.write("all.csv", sales(0, 84, 56, 3).as_bytes());
    let options = ["--leave-out", "id", "--by", "at", "--every", "month"];
    let ran = drift(&bench, &[&file], &options);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let of = |label: &str, columns: &[&str]| {
        (label.to_owned(), columns.iter().map(|one| (*one).to_owned()).collect())
    };
    assert_eq!(drifted(&read(&ran)), [of("2024-02", &[]), of("2024-03", &["amount unknown"])]);
    let ran =
        drift(&bench, &[&file], &[&options[..], &["--against", "previous", "--source", "shop"]].concat());
    assert_eq!(
        drifted(&read(&ran)),
        [of("2024-02 against 2024-01", &[]), of("2024-03 against 2024-02", &["amount one-source"])]
    );
    let new = bench.write("new.csv", sales(84, 10, 0, 4).as_bytes());
    let ran = drift(&bench, &[&file, &new], &["--leave-out", "id,at", "--by", "shop"]);
    let shops = drifted(&read(&ran));
    assert_eq!(
        shops.iter().map(|shop| shop.0.as_str()).collect::<Vec<_>>(),
        ["shop 0", "shop 1", "shop 2", "shop 3"]
    );
    assert_eq!(shops[3].1, ["amount unknown"]);
}

/// One time that says more than the others is a time still.
#[test]
fn a_time_finer_than_nanoseconds_stops_no_periods_and_no_join() {
    let bench = Bench::new();
    let rows = |finer: bool| -> String {
        let row = |at: usize| {
            let digits = if finer && at == 7 { "1234567891" } else { "5" };
            format!("2026-01-{:02}T10:{:02}:17.{digits}Z,{}\n", at / 40 + 1, at % 40, at % 10)
        };
        std::iter::once("t,x\n".to_owned()).chain((0..400).map(row)).collect()
    };
    let (one, two) =
        (bench.write("r.csv", rows(false).as_bytes()), bench.write("c.csv", rows(true).as_bytes()));
    let ran = drift(&bench, &[&one, &two], &["--by", "t", "--every", "day", "--leave-out", "t"]);
    let labels: Vec<String> = drifted(&read(&ran)).into_iter().map(|(label, _)| label).collect();
    assert_eq!((labels.len(), labels[0].as_str(), labels[9].as_str()), (10, "2026-01-01", "2026-01-10"));
    let ran = drift(&bench, &[&one, &two], &["--key", "t", "--columns", "x"]);
    let skew = &read(&ran)["comparisons"][0]["skew"];
    assert_eq!(
        (&skew["joined"], &skew["only_training"], &skew["only_serving"]),
        (&399.into(), &1.into(), &1.into())
    );
}

#[test]
fn rows_are_joined_for_skew_and_clusters_count_as_one() {
    let bench = Bench::new();
    let old = bench.write("trained.csv", sales(0, 20, 99, 1).as_bytes());
    // What is served has the same rows in another order, and rounds some of the amounts.
    let mut lines: Vec<String> = sales(0, 20, 99, 1).lines().map(str::to_owned).collect();
    let header = lines.remove(0);
    lines.reverse();
    let same = bench.write("served.csv", format!("{header}\n{}\n", lines.join("\n")).as_bytes());
    let ran = drift(&bench, &[&old, &same], &["--key", "id", "--leave-out", "at"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let skew = &read(&ran)["comparisons"][0]["skew"];
    assert_eq!((skew["joined"].as_u64(), skew["only_training"].as_u64()), (Some(1_200), Some(0)));
    lines[7] = lines[7].replace("cash", "gift").replace("card", "gift");
    let other = bench.write("other.csv", format!("{header}\n{}\n", lines.join("\n")).as_bytes());
    let ran = drift(&bench, &[&old, &other], &["--key", "id", "--leave-out", "at"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let report = read(&ran);
    let kind = report["comparisons"][0]["skew"]["features"].as_array().unwrap().iter();
    let kind = kind.into_iter().find(|feature| feature["column"] == "kind").unwrap();
    assert_eq!((kind["differing"].as_u64(), kind["rows"].to_string()), (Some(1), "[[1193,8]]".to_owned()));
    assert_eq!(report["comparisons"][0]["report"]["purpose"], "skew");
    let ran = drift(&bench, &[&old, &other], &["--key", "id", "--leave-out", "at", "--mismatch", "0.01"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = drift(&bench, &[&old, &same], &["--cluster", "at", "--columns", "amount"]);
    let line = &read(&ran)["comparisons"][0]["report"]["columns"][0];
    assert_eq!(
        (line["reference"]["clusters"].as_u64(), line["verdict"].as_str()),
        (Some(480), Some("no-drift"))
    );
}

#[test]
fn skew_needs_rows_that_can_be_joined() {
    let bench = Bench::new();
    let table = |from: u64| -> String {
        let rows = (from..from + 1_000).map(|row| format!("{row},{}\n", row * 7_919 % 1_000));
        format!("id,x\n{}", rows.collect::<String>())
    };
    let old = bench.write("trained.csv", table(0).as_bytes());
    // One row of a thousand is in both, and is the same.
    let other = bench.write("served.csv", table(999).as_bytes());
    let xml = bench.path("skew.xml");
    let ran = drift(&bench, &[&old, &other], &["--key", "id", "--junit", text(&xml)]);
    assert_eq!((ran.code, read(&ran)["outcome"].as_str()), (1, Some("error")), "{}", ran.stdout);
    let told = std::fs::read_to_string(&xml).unwrap();
    assert!(told.contains("joined-rows") && told.contains("1 of 1000 current rows were joined"), "{told}");
    let ran = drift(&bench, &[&old, &other], &["--key", "id", "--min-joined", "0.001"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    // Ids of 64 bits that differ in their last digit are two.
    let wide = |served: u64| -> String {
        let rows =
            (0..400_u64).map(|row| format!("{},{}\n", 9_007_199_254_740_992 + 2 * row + served, row % 9));
        format!("id,x\n{}", rows.collect::<String>())
    };
    let old = bench.write("wide.csv", wide(0).as_bytes());
    let same = bench.write("same.csv", wide(0).as_bytes());
    let other = bench.write("other.csv", wide(1).as_bytes());
    let joined = |file: &Path| {
        let ran = drift(&bench, &[&old, file], &["--key", "id"]);
        (ran.code, read(&ran)["comparisons"][0]["skew"]["joined"].as_u64().unwrap())
    };
    assert_eq!((joined(&same), joined(&other)), ((0, 400), (1, 0)));
    // What differs is in the report, and in the stored one.
    let lines = wide(0).replace(",3\n", ",4\n");
    let off = bench.write("off.csv", lines.as_bytes());
    let out = bench.path("report.json");
    let ran = drift(
        &bench,
        &[&old, &off],
        &["--key", "id", "--floor", "1", "--together", "--junit", text(&xml), "--out", text(&out)],
    );
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let told = std::fs::read_to_string(&xml).unwrap();
    assert!(
        told.contains("x: skew") && told.contains("joined rows differ") && told.contains("together"),
        "{told}"
    );
    let stored: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    assert_eq!(stored["beside"][1]["test"], "skew");
    assert_eq!(stored["beside"][1]["outcome"], "invalid");
}

#[test]
fn groups_leave_nothing_out() {
    let bench = Bench::new();
    let mut lines = String::new();
    let mut numbers = Numbers(7);
    for row in 0..2_400 {
        let group = if row % 3 == 0 { "a" } else { "b" };
        let day = if row % 100 == 7 { "null".to_owned() } else { format!("\"{group}\"") };
        let size = numbers.below(1_000);
        writeln!(lines, "{{\"g\": {day}, \"x\": {size}, \"tags\": [{}, 2]}}", numbers.below(9)).unwrap();
    }
    let file = bench.write("groups.jsonl", lines.as_bytes());
    let ran = drift(&bench, &[&file], &["--by", "g", "--columns", "x"]);
    let labels: Vec<String> = drifted(&read(&ran)).into_iter().map(|one| one.0).collect();
    assert_eq!(labels, ["b", "rows without `g`"]);
    let report = read(&ran);
    let rows = |at: usize| report["comparisons"][at]["rows"]["current"].as_u64().unwrap();
    assert_eq!((rows(0), rows(1)), (1_584, 24));
    // Elements of lists are not picked by row, which is said.
    let ran = drift(&bench, &[&file], &["--by", "g"]);
    assert_eq!(read(&ran)["outcome"], "error");
    assert!(ran.stdout.contains("elements-of-lists"), "{}", ran.stdout);
    let ran = drift(&bench, &[&file], &["--by", "g", "--leave-out", "tags[]"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
}

#[test]
fn a_floor_is_that_of_what_it_names() {
    let bench = Bench::new();
    let table = |gaps: u64| {
        let rows = (0..1_000_u64).map(|row| {
            if row % 10 < gaps { ",1\n".to_owned() } else { format!("{},1\n", row * 7_919 % 1_000) }
        });
        format!("x,y\n{}", rows.collect::<String>())
    };
    let old = bench.write("old.csv", table(0).as_bytes());
    let new = bench.write("new.csv", table(4).as_bytes());
    // A floor of the statistic says nothing of rows without a value.
    let ran = drift(&bench, &[&old, &new], &["--method", "x=wasserstein", "--floor", "x=0.5"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let ran = drift(&bench, &[&old, &new], &["--floor", "x=0.5", "--missing-floor", "x=0.5"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    for option in ["--floor", "--missing-floor"] {
        bench.refused(&["data", "drift", text(&old), text(&new), option, "z=0.5"], 2, "BZ-0318");
    }
    bench.refused(&["data", "drift", text(&old), text(&new), "--method", "z=ks"], 2, "BZ-0318");
    // Truth values are the same however they are spelled.
    let flags = |spelled: [&str; 2]| {
        let rows = (0..600).map(|row| format!("{},{}\n", row % 7, spelled[usize::from(row % 3 == 0)]));
        format!("x,f\n{}", rows.collect::<String>())
    };
    let old = bench.write("lower.csv", flags(["true", "false"]).as_bytes());
    let new = bench.write("python.csv", flags(["True", "False"]).as_bytes());
    let ran = drift(&bench, &[&old, &new], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
}

#[test]
fn profiles_are_compared_within_their_bounds() {
    let bench = Bench::new();
    // More different amounts than a profile counts one by one: what is left of them is a sketch.
    let amounts = |least: u64, seed: u64| {
        let mut numbers = Numbers(seed);
        let rows = (0..8_000).map(|_| format!("{},a shop\n", least + numbers.below(1_000_000)));
        format!("amount,shop\n{}", rows.collect::<String>())
    };
    let old = bench.write("old.csv", amounts(0, 1).as_bytes());
    let new = bench.write("new.csv", amounts(200_000, 2).as_bytes());
    let profile = bench.path("old.profile");
    bench.json(&["data", "profile", text(&old), "--out", text(&profile)]);
    let ran = drift(&bench, &[&profile, &new], &[]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let report = read(&ran);
    assert_eq!(report["mode"], "sketch");
    assert_eq!(one(drifted(&report)), ["amount unknown"]);
    let line = report["comparisons"][0]["report"]["columns"].as_array().unwrap().iter();
    let line = line.into_iter().find(|line| line["column"] == "amount").unwrap();
    assert!(line["effect"]["low"] != line["effect"]["high"], "{line}");
    let sketched = drift(&bench, &[&old, &new], &["--sketch"]);
    assert_eq!(one(drifted(&read(&sketched))), ["amount unknown"]);
    bench.refused(&["data", "drift", text(&profile), text(&new), "--exact"], 2, "BZ-0318");
    bench.refused(&["data", "drift", text(&profile), text(&new), "--source", "shop"], 2, "BZ-0318");
    let cut = std::fs::read(&profile).unwrap();
    let cut = bench.write("cut.profile", &cut[..cut.len() - 9]);
    bench.refused(&["data", "drift", text(&cut), text(&new)], 2, "BZ-0318");
}

#[test]
fn a_watch_alarms_when_drift_persists() {
    let bench = Bench::new();
    let old = bench.write("old.csv", sales(0, 20, 99, 1).as_bytes());
    let new = bench.write("new.csv", sales(20, 20, 0, 2).as_bytes());
    let state = bench.path("state.json");
    let run = || drift(&bench, &[&old, &new], &["--columns", "amount,kind", "--watch", text(&state)]);
    let first = run();
    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    let report = read(&first);
    assert_eq!(
        (report["watch"]["new"].as_bool(), report["watch"]["alarms"].as_array().unwrap().len()),
        (Some(true), 0)
    );
    assert_eq!(one(drifted(&report)), ["amount unknown"]);
    let second = run();
    assert_eq!(second.code, 1, "{}{}", second.stdout, second.stderr);
    let alarm = &read(&second)["watch"]["alarms"][0];
    assert_eq!(
        (alarm["column"].as_str(), alarm["runs"].as_u64(), alarm["begins"].as_bool()),
        (Some("amount"), Some(2), Some(true))
    );
    // Nothing is left beside the state, and other bytes are no state.
    let names = std::fs::read_dir(state.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.filter(|name| name.to_string_lossy().contains("tmp")).count(), 0);
    let other = bench.write("other.json", b"{}");
    bench.refused(&["data", "drift", text(&old), text(&new), "--watch", text(&other)], 2, "BZ-0319");
}

#[test]
fn what_was_not_judged_never_passes() {
    let bench = Bench::new();
    let old = bench.write("old.csv", b"a,b\n1,x\n2,y\n3,x\n4,y\n");
    let few = bench.write("few.csv", b"a,b\n1,x\n2,y\n");
    let ran = drift(&bench, &[&old, &few], &[]);
    assert_eq!((ran.code, read(&ran)["outcome"].as_str()), (1, Some("error")), "{}", ran.stdout);
    let gone = bench.write("gone.csv", b"a\n1\n2\n3\n4\n");
    let ran = drift(&bench, &[&old, &gone], &["--columns", "b"]);
    assert_eq!(
        (ran.code, read(&ran)["comparisons"][0]["changes"][0]["kind"].as_str()),
        (1, Some("schema-change"))
    );
    let torn = bench.write("torn.csv", b"a,b\n1,x\n2\n");
    bench.refused(&["data", "drift", text(&old), text(&torn)], 1, "BZ-0311");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let bench = Bench::new();
    let file = bench.write("table.csv", b"a,b\n1,x\n2,y\n");
    let file = text(&file);
    let other = bench.write("other.csv", b"a,b\n1,x\n3,y\n");
    let other = text(&other);
    bench.refused(&["data", "drift", file], 2, "BZ-0001");
    bench.refused(&["data", "drift", "-", "-"], 2, "BZ-0001");
    bench.refused(&["data", "drift", file, "absent.csv"], 2, "BZ-0004");
    bench.refused(&["data", "drift", file, other, "--method", "mean"], 2, "BZ-0001");
    bench.refused(&["data", "drift", file, other, "--floor", "a=-1"], 2, "BZ-0001");
    bench.refused(&["data", "drift", file, other, "--by", "a", other], 2, "BZ-0001");
    bench.refused(&["data", "drift", file, other, "--sketch", "--cluster", "a"], 2, "BZ-0001");
    for option in ["--columns", "--leave-out", "--cluster", "--source", "--label", "--time", "--key"] {
        bench.refused(&["data", "drift", file, other, option, "absent"], 2, "BZ-0318");
    }
    bench.refused(&["data", "drift", file, "--by", "absent"], 2, "BZ-0318");
    bench.refused(&["data", "drift", file, "--by", "b", "--every", "month"], 2, "BZ-0318");
    let said = bench.refused(&["data", "drift", file, "./table.csv"], 2, "BZ-0001");
    assert!(said.contains("is compared with itself"), "{said}");
    for twice in [["ks", "psi"], ["a=ks", "a=ks"]] {
        bench.refused(
            &["data", "drift", file, other, "--method", twice[0], "--method", twice[1]],
            2,
            "BZ-0001",
        );
    }
    bench.refused(&["data", "drift", file, other, "--floor", "0.1", "--floor", "0.2"], 2, "BZ-0001");
    for option in ["--tolerance", "--mismatch", "--min-joined"] {
        let ran = bench.run(&["data", "drift", file, other, option, "0.5"]);
        assert!(ran.code == 2 && ran.stderr.contains("--key"), "{}", ran.stderr);
    }
    let said = bench.refused(&["data", "drift", file, "--by", "a", "--every", "month"], 2, "BZ-0318");
    assert!(said.contains("seconds since 1970"), "{said}");
    let left = bench.shown(&["data", "drift", file, other, "--leave-out", "a,b"]);
    assert!(left.code == 1 && left.stdout.contains("next: no column was compared"), "{}", left.stdout);
}

/// Reports are handed around.
#[test]
fn no_report_names_values_that_look_personal() {
    let bench = Bench::new();
    let rows = |many: usize| {
        let row = |at: usize| {
            let mail = if at % 10 < many { "ann@example.com" } else { "bob@example.com" };
            format!("{mail},{},{}\n", at % 7, ["red", "blue"][usize::from(at % 10 < many)])
        };
        "who,x,colour\n".to_owned() + &(0..2_000).map(row).collect::<String>()
    };
    let (one, two) = (bench.write("one.csv", rows(2).as_bytes()), bench.write("two.csv", rows(8).as_bytes()));
    let reports = ["--report", "drift.html", "--junit", "drift.xml", "--sarif", "drift.sarif"];
    for options in [&[][..], &["--by", "who"], &["--source", "who"]] {
        let ran = drift(&bench, &[&one, &two], &[&reports[..], options].concat());
        let shown = bench.shown(&[&["data", "drift", text(&one), text(&two)], options].concat());
        let mut told = ran.stdout + &ran.stderr + &shown.stdout + &shown.stderr;
        assert!(told.contains("share of `blue`") || !options.is_empty(), "{told}");
        assert!(told.contains("share of one value") || told.contains("group 1 of `who`"), "{told}");
        for report in ["drift.html", "drift.xml", "drift.sarif"] {
            told.push_str(&std::fs::read_to_string(bench.path(report)).unwrap());
        }
        assert!(!told.contains("@example.com"), "{told}");
    }
}
