//! Expectations of a table: its columns and its rows.

use super::Done;
use crate::expectations::build::Builder;
use crate::expectations::suite::Expectation;
use crate::schema::Severity;

pub(super) fn exists(builder: &mut Builder, of: &Expectation) -> Result<Done, String> {
    let name = of.column().ok_or_else(|| "it names no column".to_owned())?;
    builder.kind(name)?;
    let done = Done::whole("the column is in the schema".to_owned());
    let done = match builder.only_warned(name) {
        true => done.but(
            "a file without the column has no verdict, since what else the schema says of it cannot run",
        ),
        false => done,
    };
    Ok(match of.get("column_index") {
        None => done,
        Some(_) => done.but("columns have no places here"),
    })
}

pub(super) fn columns(builder: &mut Builder, of: &Expectation, key: &str) -> Result<Done, String> {
    let names = of.texts(key).ok_or_else(|| format!("its `{key}` is not a list of names"))?;
    for name in &names {
        builder.kind(name)?;
    }
    let ordered = key == "column_list";
    let exact = ordered || of.get("exact_match").is_none() || of.flag("exact_match");
    if exact {
        if builder.schema.columns.iter().any(|column| !names.contains(&column.name.as_str())) {
            return Err("other expectations name columns that this one rules out".to_owned());
        }
        let known = builder.schema.unexpected_columns;
        builder.schema.unexpected_columns = known.max(Some(of.severity));
    }
    let how = if exact {
        "the columns are in the schema, and `unexpected_columns` refuses others"
    } else {
        "the columns are in the schema"
    };
    let done = Done::whole(how.to_owned());
    Ok(if ordered { done.but("columns may come in any order") } else { done })
}

pub(super) fn rows(
    builder: &mut Builder,
    of: &Expectation,
    min: Option<u64>,
    max: Option<u64>,
) -> Result<Done, String> {
    if min.is_none() && max.is_none() {
        return Err("it has no bounds that are counts".to_owned());
    }
    if of.severity == Severity::Warn {
        return Err("row counts refuse a batch, and this one is to warn".to_owned());
    }
    if of.get("row_condition").is_some() {
        return Err("a count of some rows is a slice with `min_rows`, which a person should name".to_owned());
    }
    let rows = &mut builder.schema.rows;
    // Several bounds hold together.
    let (min, max) = (rows.min.max(min), [rows.max, max].into_iter().flatten().min());
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        return Err("together with other expectations no count is allowed".to_owned());
    }
    (rows.min, rows.max) = (min, max);
    Ok(Done::whole("`[rows]`".to_owned()))
}
