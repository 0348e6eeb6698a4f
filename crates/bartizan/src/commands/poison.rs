//! `data poison`: reads a labelled file, asks the built-in trainer, runs every rule, and prints the report.

use std::fmt::Write as _;
use std::path::Path;

use bartizan_data::quality::{
    Codes, Examined, Finding, Gathered, NotGathered, Of, Probabilities, QualityOptions, QualityReport, Rule,
    Setting, Table, examine, gather, key,
};
use bartizan_data::report::Subject;
use bartizan_data::{Outcome, ReadOptions};
use serde_json::{Value, json};

use super::data::put::{Kind, may_replace, put_report};
use super::data::{profile_options, report, source, threads, unreadable};
use super::{Work, out_of_fold, supplied};
use crate::catalog::ids;
use crate::cli::Poison;
use crate::failure::Failure;
use crate::out::Format;

pub(super) fn run(work: &Work, wanted: &Poison) -> Result<u8, Failure> {
    let subject = report::subject(&wanted.file);
    if wanted.key.is_some() && wanted.against.is_none() && wanted.probabilities.is_none() {
        return Err(Failure::new(
            ids::USAGE,
            "`--key` joins rows with those of `--against FILE` or `--probabilities FILE`, and neither is given",
        ));
    }
    let also = [&wanted.against, &wanted.test, &wanted.probabilities];
    let also = also.into_iter().flatten().map(|path| path.as_path());
    let files: Vec<&Path> = std::iter::once(wanted.file.as_path()).chain(also).collect();
    if files.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
        return Err(Failure::new(ids::USAGE, "standard input can be read once only"));
    }
    if let Some(path) = &wanted.rows_out {
        report::apart(std::iter::once(path.as_path()), &files)?;
        may_replace(path, Kind::PoisonRows, "--rows-out")?;
    }
    report::guarded(&wanted.reports, &subject, report::Task::POISON, &files, || {
        examined(work, wanted, &subject)
    })
}

fn examined(work: &Work, wanted: &Poison, subject: &Subject) -> Result<u8, Failure> {
    let options = profile_options(&wanted.reading, &[])?.read;
    let threads = threads(wanted.reading.threads);
    let read = |path: &Path| Columns::read(work, wanted, path, &options, threads);
    let columns = read(&wanted.file)?;
    let against = wanted.against.as_deref().map(read).transpose()?;
    let test = wanted.test.as_deref().map(read).transpose()?;
    let table = columns.table(wanted, &wanted.file)?;
    let (old, other) = (wanted.against.as_deref(), wanted.test.as_deref());
    let against = against.as_ref().zip(old).map(|(columns, path)| columns.table(wanted, path)).transpose()?;
    let test = test.as_ref().zip(other).map(|(columns, path)| columns.table(wanted, path)).transpose()?;
    let supplied = match &wanted.probabilities {
        Some(path) => {
            // Labels are numbers often, and so are the columns called after them.
            let mut options = options.clone();
            options.csv.numbers_name = true;
            let read = gathered(work, path, &options, threads)?;
            let key = wanted.key.as_deref().zip(columns.keys.as_deref());
            let invalid = |what| Failure::new(ids::INVALID, format!("`{}`: {what}", path.display()));
            let (values, order) = supplied::probabilities(read, &table, key).map_err(invalid)?;
            Some((values, format!("supplied in `{}`, {order}", report::name_of(path))))
        }
        None => None,
    };
    let progress = work.out.working("learning what labels to expect");
    let (values, by, mut unlearned) = match supplied {
        Some((values, by)) => (values, by, None),
        None => {
            let by = "of the built-in trainer, each quarter of the rows by a model of the others".to_owned();
            match out_of_fold::probabilities(&table, wanted.seed, threads) {
                Ok(values) => (values, by, None),
                Err(why) => (Vec::new(), by, Some(why)),
            }
        }
    };
    let probabilities = match Probabilities::new(&values, table.classes()) {
        Ok(probabilities) => Some(probabilities),
        Err(error) => {
            unlearned.get_or_insert_with(|| error.to_string());
            None
        }
    };
    let examined = Examined { table: &table, probabilities, against: against.as_ref(), test: test.as_ref() };
    let options = QualityOptions {
        seed: wanted.seed,
        threads,
        min_joined: wanted.min_joined,
        ..QualityOptions::default()
    };
    let mut report =
        examine(&examined, &options, &mut |rule| progress.work(&format!("looking for {}", doing(rule))));
    drop(progress);
    let noise = report.ran.iter_mut().filter(|(rule, _)| *rule == Rule::LabelNoise);
    noise.for_each(|(_, how)| how.push_str(&format!("; probabilities {by}")));
    if let Some(why) = unlearned {
        let noise = report.not_run.iter_mut().filter(|one| one.rule == Rule::LabelNoise);
        noise.for_each(|one| one.reason = format!("nothing could be learned from the rows: {why}"));
    }
    if let Some(path) = &wanted.rows_out {
        put_report(path, rows(&report).as_bytes())?;
    }
    report::quality(&wanted.reports, subject, &report)?;
    print(work, wanted, &columns, &table, &report)?;
    Ok(u8::from(report.outcome() != Outcome::Valid))
}

/// What somebody who waits is told.
fn doing(rule: Rule) -> &'static str {
    match rule {
        Rule::Trigger => "triggers",
        Rule::LabelFlips => "labels that changed",
        Rule::SourceDiffers => "sources that differ",
        Rule::NearDuplicates => "rows that are nearly equal",
        Rule::Leakage => "features that tell the label",
        Rule::Overlap => "rows of the test file",
        Rule::LabelNoise => "wrong labels",
        Rule::KnnDisagreement => "rows unlike their neighbours",
        Rule::DuplicateRows => "rows that repeat",
        Rule::Constant | Rule::IdLike | Rule::Outliers => "odd columns",
        Rule::Imbalance => "rare labels",
    }
}

fn print(
    work: &Work,
    wanted: &Poison,
    columns: &Columns,
    table: &Table<'_>,
    report: &QualityReport,
) -> Result<(), Failure> {
    let shown = || report.findings.iter().map(|finding| columns.shown(table, finding));
    let printed = match work.out.format {
        Format::Table => {
            let mut text = report.render();
            if wanted.show {
                for (finding, shown) in
                    report.findings.iter().zip(shown()).filter(|(_, shown)| !shown.is_null())
                {
                    text.push_str(&format!("  {}: {shown}\n", finding.rule.id()));
                }
            }
            work.out.lines(&text)
        }
        Format::Json | Format::Jsonl => {
            let bytes = report.to_bytes().map_err(|error| Failure::of(ids::INTERNAL, &error))?;
            let text = String::from_utf8_lossy(&bytes);
            if wanted.show {
                let shown = Value::Array(shown().collect());
                work.out.exact(&format!("{{\"report\":{text},\"shown\":{shown}}}\n"))
            } else {
                work.out.exact(&format!("{text}\n"))
            }
        }
    };
    printed.map_err(|error| Failure::of(ids::FILE, &error))
}

/// The rows of all findings as CSV.
fn rows(report: &QualityReport) -> String {
    let mut text = "rule,finding,table,row,score\n".to_owned();
    for (at, finding) in (1..).zip(&report.findings) {
        let of = match finding.of {
            Of::Table => "table",
            Of::Test => "test",
        };
        let mut scores = finding.scores.iter();
        for row in &finding.rows {
            let score = scores.next().map(|score| format!("{score:.6}")).unwrap_or_default();
            // Writing to a text cannot fail.
            if writeln!(text, "{},{at},{of},{row},{score}", finding.rule.id()).is_err() {
                return text;
            }
        }
    }
    text
}

/// A file in memory.
struct Columns {
    features: Vec<Gathered>,
    label: Gathered,
    source: Option<Gathered>,
    writer: Option<Gathered>,
    keys: Option<Vec<u128>>,
}

impl Columns {
    fn read(
        work: &Work,
        wanted: &Poison,
        path: &Path,
        options: &ReadOptions,
        threads: usize,
    ) -> Result<Self, Failure> {
        Self::split(gathered(work, path, options, threads)?, wanted, path)
    }

    fn split(mut all: Vec<Gathered>, wanted: &Poison, path: &Path) -> Result<Self, Failure> {
        let mut take = |name: &str| -> Result<Gathered, Failure> {
            match all.iter().position(|column| column.name == name) {
                Some(at) => Ok(all.remove(at)),
                None => {
                    let names: Vec<&str> = all.iter().map(|column| column.name.as_str()).collect();
                    let what = format!("`{}` has no column `{name}`", path.display());
                    let mut failure = Failure::new(ids::INVALID, what);
                    failure.why.push(format!("its other columns are {}", names.join(", ")));
                    Err(failure)
                }
            }
        };
        let mut label = take(&wanted.label)?;
        let source = wanted.source.as_deref().map(&mut take).transpose()?;
        let writer = wanted.writer.as_deref().map(&mut take).transpose()?;
        let keys = wanted.key.as_deref().map(&mut take).transpose()?.map(|column| keys(&column));
        for name in &wanted.leave_out {
            take(name)?;
        }
        if let Some(above) = wanted.label_above {
            threshold(&mut label, above)?;
        }
        Ok(Self { features: all, label, source, writer, keys })
    }

    fn table(&self, wanted: &Poison, path: &Path) -> Result<Table<'_>, Failure> {
        let failed = |error| {
            let mut failure = Failure::of(ids::INVALID, &error);
            failure.what = format!("`{}`: {}", path.display(), failure.what);
            if wanted.label_above.is_none()
                && matches!(error, bartizan_data::quality::TableInvalid::Classes { .. })
            {
                failure.why.push("`--label-above` makes two labels of numbers".to_owned());
            }
            failure
        };
        let features = self.features.iter().map(Gathered::feature).collect();
        let mut table = Table::new(features, self.label.tag()).map_err(failed)?;
        if let Some(source) = &self.source {
            table = table.with_source(source.tag()).map_err(failed)?;
        }
        if let Some(writer) = &self.writer {
            table = table.with_writer(writer.tag()).map_err(failed)?;
        }
        if let Some(keys) = &self.keys {
            table = table.with_keys(keys).map_err(failed)?;
        }
        Ok(table)
    }

    /// The values that a finding is about.
    fn shown(&self, table: &Table<'_>, finding: &Finding) -> Value {
        let mut shown = serde_json::Map::new();
        for named in &finding.settings {
            let column = self.features.iter().find(|column| column.name == named.column);
            let value = match named.setting {
                Setting::Code(code) => json!(column.and_then(|column| text(column.categories(), code))),
                Setting::Value(number) => json!(number),
                Setting::Range(low, high) => json!([low, high]),
                Setting::Missing | Setting::Rest => Value::Null,
            };
            shown.insert(named.column.clone(), value);
        }
        if let Some(label) = finding.label {
            shown.insert(self.label.name.clone(), json!(text(table.label().codes, label)));
        }
        if let Some(source) = &finding.source {
            let tags = [table.source(), table.writer()];
            let tag = tags.into_iter().flatten().find(|tag| tag.name == source.column);
            shown.insert(source.column.clone(), json!(tag.and_then(|tag| text(tag.codes, source.code))));
        }
        if shown.is_empty() { Value::Null } else { Value::Object(shown) }
    }
}

/// The columns of a file.
fn gathered(
    work: &Work,
    path: &Path,
    options: &ReadOptions,
    threads: usize,
) -> Result<Vec<Gathered>, Failure> {
    let (source, progress) = source(work, path, "reading")?;
    let gathered = gather(source, options, threads);
    drop(progress);
    let (columns, _) = gathered.map_err(|error| match error {
        NotGathered::Read(error) => unreadable(path, &error),
        NotGathered::Cells | NotGathered::Texts => {
            let mut failure = Failure::of(ids::INVALID, &error);
            failure.what = format!("`{}` does not fit into memory: {}", path.display(), failure.what);
            failure
        }
    })?;
    Ok(columns)
}

fn text(codes: Codes<'_>, code: u32) -> Option<&str> {
    codes.values.get(usize::try_from(code).ok()?).map(String::as_str)
}

/// What names each row by a column of keys.
pub(super) fn keys(column: &Gathered) -> Vec<u128> {
    let known: Vec<u128> = column.values.iter().map(|text| key(text.as_bytes())).collect();
    let missing = key(b"");
    let of =
        |code: &u32| usize::try_from(*code).ok().and_then(|code| known.get(code)).copied().unwrap_or(missing);
    column.codes.iter().map(of).collect()
}

/// Makes two labels of numbers.
fn threshold(label: &mut Gathered, above: f64) -> Result<(), Failure> {
    let numbers = label.numbers.as_ref().filter(|numbers| numbers.iter().all(|number| !number.is_nan()));
    let Some(numbers) = numbers else {
        return Err(Failure::new(ids::INVALID, "a label is no number, so nothing is above or below it"));
    };
    label.codes = numbers.iter().map(|number| u32::from(*number > above)).collect();
    label.values = vec!["0".to_owned(), "1".to_owned()];
    Ok(())
}
