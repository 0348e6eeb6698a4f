//! What the command line asks for, understood once.

use std::collections::BTreeMap;
use std::path::Path;

use bartizan_data::drift::{
    Column, Dependence, Period, PeriodInvalid, Side, Statistic, StatisticInvalid, Want,
};
use bartizan_data::report::Gate;
use bartizan_data::{ColumnType, Schema};

use crate::catalog::ids;
use crate::cli::Drift;
use crate::commands::data::parse_schema;
use crate::failure::Failure;

/// The options with their texts read.
pub(super) struct Wanted<'a> {
    pub(super) drift: &'a Drift,
    pub(super) dependence: Dependence,
    pub(super) every: Option<Period>,
    pub(super) previous: bool,
    schema: Option<Schema>,
    methods: BTreeMap<Option<String>, Statistic>,
    floors: Floors,
    missing_floors: Floors,
    pub(super) gate: Gate,
}

/// The least effect that counts, by column; that of `None` goes for all others.
type Floors = BTreeMap<Option<String>, f64>;

impl<'a> Wanted<'a> {
    pub(super) fn of(drift: &'a Drift) -> Result<Self, Failure> {
        let usage = |error: &dyn std::error::Error| Failure::of(ids::USAGE, error);
        let mut methods = BTreeMap::new();
        for text in &drift.method {
            let (column, text) = of_column(text);
            let statistic = text.parse().map_err(|error: StatisticInvalid| usage(&error))?;
            once(methods.insert(column.clone(), statistic).is_none(), "--method", column.as_deref())?;
        }
        let refused = |what: &str| Err(Failure::new(ids::USAGE, what));
        match (drift.by.is_some(), drift.current.len()) {
            (false, 0) => {
                return refused(
                    "there is nothing to compare with the reference: name a second file, or `--by COLUMN`",
                );
            }
            (true, 2..) => {
                return refused("`--by` takes one reference and at most one file that is compared with it");
            }
            _ => {}
        }
        if drift.watching.watch.is_some() && drift.current.len() != 1 {
            return refused(
                "`--watch` remembers runs of one comparison: name one file to compare with the reference",
            );
        }
        if drift.by.is_none()
            && let Some(same) = drift.current.iter().find(|path| is_one_file(path, &drift.reference))
        {
            let what = format!(
                "`{}` is compared with itself, which says nothing: name another file, or `--by COLUMN` to compare parts of it",
                same.display()
            );
            return refused(&what);
        }
        let inputs = std::iter::once(&drift.reference).chain(&drift.current);
        if inputs.filter(|path| path.as_os_str() == "-").count() > 1 {
            return refused("standard input can be read once only");
        }
        let rows = [&drift.cluster, &drift.by, &drift.time, &drift.label, &drift.source, &drift.key];
        if drift.sketch && (drift.together || rows.into_iter().any(Option::is_some)) {
            return refused(
                "`--sketch` keeps no rows: leave `--cluster`, `--by`, `--time`, `--label`, `--source`, `--key` and `--together` away",
            );
        }
        Ok(Self {
            drift,
            dependence: if drift.dependence == "positive" { Dependence::Positive } else { Dependence::Any },
            every: drift
                .every
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(|error: PeriodInvalid| usage(&error))?,
            previous: drift.against == "previous",
            schema: drift
                .schema
                .as_deref()
                .map(|path| parse_schema(path).map(|(schema, _)| schema))
                .transpose()?,
            methods,
            floors: floors(&drift.floor, "--floor")?,
            missing_floors: floors(&drift.missing_floor, "--missing-floor")?,
            gate: Gate::new(),
        })
    }

    /// Whether rows must be known, which a profile does not hold.
    pub(super) fn needs_rows(&self) -> bool {
        let Drift { cluster, by, time, label, source, key, together, .. } = self.drift;
        *together || [cluster, by, time, label, source, key].into_iter().any(Option::is_some)
    }

    /// The columns that say something of rows and are not compared.
    pub(super) fn roles(&self) -> impl Iterator<Item = &str> {
        let Drift { cluster, by, time, source, key, .. } = self.drift;
        [cluster, by, time, source, key].into_iter().flatten().map(String::as_str)
    }

    /// Whether a column is compared.
    pub(super) fn is_compared(&self, name: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|one| one == name);
        (self.drift.columns.is_empty() || named(&self.drift.columns))
            && !named(&self.drift.leave_out)
            && !self.roles().any(|role| role == name)
    }

    /// How a column is read.
    pub(super) fn want(&self, name: &str) -> Want {
        let is = |role: &Option<String>| role.as_deref() == Some(name);
        let role = self.roles().any(|role| role == name) || is(&self.drift.label);
        match (self.is_compared(name), role) {
            (true, _) => self.form(name),
            (false, true) if is(&self.drift.time) => Want::Found,
            (false, true) => Want::Key,
            (false, false) => Want::Skip,
        }
    }

    /// As what a column is compared: as what its values are, unless the schema says that it holds categories.
    pub(super) fn form(&self, name: &str) -> Want {
        match self.schema.as_ref().and_then(|schema| schema.column(name)) {
            Some(rules) if rules.kind == ColumnType::String => Want::Texts,
            Some(rules) if rules.domain.is_some() => Want::Categories,
            _ => Want::Found,
        }
    }

    /// A column with what was said of it.
    pub(super) fn told<'c>(&self, column: Column<'c>) -> Column<'c> {
        let own = Some(column.name.to_owned());
        let statistic = self.methods.get(&own).or_else(|| {
            let all = self.methods.get(&None)?;
            // What is said of all columns is said of those that it can be measured on.
            let ordered =
                matches!(column.reference, Side::Numbers(_) | Side::NumberCounts(..) | Side::Sketch(_));
            (ordered || !all.is_ordered()).then_some(all)
        });
        let of = |floors: &Floors| floors.get(&own).or_else(|| floors.get(&None)).copied();
        Column {
            statistic: statistic.copied(),
            floor: of(&self.floors),
            missing_floor: of(&self.missing_floors),
            ..column
        }
    }

    /// The columns that the command names, other than those that say something of rows.
    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        let floors = self.floors.keys().chain(self.missing_floors.keys());
        let lists = self.drift.columns.iter().chain(&self.drift.leave_out);
        lists.chain(self.methods.keys().chain(floors).flatten()).map(String::as_str)
    }

    /// A failure that names a column which is not there.
    pub(super) fn absent(column: &str, file: &str) -> Failure {
        Failure::new(ids::DRIFT, format!("`{file}` has no column `{column}`"))
    }
}

fn floors(texts: &[String], option: &str) -> Result<Floors, Failure> {
    let floor = |text: &String| -> Result<_, Failure> {
        let (column, text) = of_column(text);
        let floor = text.parse().ok().filter(|floor: &f64| floor.is_finite() && *floor >= 0.0);
        let refused =
            || Failure::new(ids::USAGE, format!("`{text}` is not a number from 0 on, as `{option}` takes"));
        Ok((column, floor.ok_or_else(refused)?))
    };
    let mut floors = Floors::new();
    for text in texts {
        let (column, floor) = floor(text)?;
        once(floors.insert(column.clone(), floor).is_none(), option, column.as_deref())?;
    }
    Ok(floors)
}

/// Refuses what was said twice, instead of taking the last of it.
fn once(is_first: bool, option: &str, column: Option<&str>) -> Result<(), Failure> {
    if is_first {
        return Ok(());
    }
    let of = column.map_or_else(|| "all columns".to_owned(), |column| format!("the column `{column}`"));
    Err(Failure::new(ids::USAGE, format!("`{option}` is given twice for {of}")))
}

/// Whether two paths lead to one file, or are one URL.
fn is_one_file(one: &Path, two: &Path) -> bool {
    let is_input = one.as_os_str() == "-";
    let real = |path: &Path| std::fs::canonicalize(path).ok().filter(|path| path.is_file());
    !is_input && (one == two || real(one).is_some_and(|one| real(two) == Some(one)))
}

/// `COLUMN=VALUE`, or a value for all columns. A column's name may hold an equals sign itself.
fn of_column(text: &str) -> (Option<String>, &str) {
    match text.rsplit_once('=') {
        Some((column, value)) => (Some(column.to_owned()), value),
        None => (None, text),
    }
}
