//! `data redact`, `data tokenize`, `data detokenize`: what stands for values, asked of the project where it has the keys.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;

use bartizan_data::pii::vault::{Replaced, TOKEN_BYTES, Token, replace_tokens};
use bartizan_data::pii::{Action, ColumnDetector, Detector, DetectorOptions, Kind, Replacer, json};
use serde_json::{Value, json};

use super::super::{anew, file_failure};
use super::rewrite::{Plan, Values, read, ruled_out};
use super::source::{Layout, open};
use crate::catalog::ids;
use crate::cli;
use crate::client::Client;
use crate::commands::Work;
use crate::failure::Failure;

/// Values that are asked for at a time, and their bytes.
const BATCH: usize = 2_000;
const BATCH_BYTES: usize = 256 * 1024;

/// Different values of one file, which are in memory until it is written.
const VALUES: usize = 2_000_000;

/// What stands for a value, by kind and value.
type Stand = BTreeMap<(String, Vec<u8>), Vec<u8>>;

pub(in crate::commands) async fn redact(work: &Work, wanted: &cli::Redact) -> Result<u8, Failure> {
    let options = super::options(&wanted.wanted)?;
    let detector = Detector::new(&options);
    let plan = plan(&wanted.file, &wanted.read, &wanted.columns, Values::Found(&detector), Some(&options))?;
    if wanted.action == "hash" {
        return asked(work, &plan, &wanted.file, &wanted.out, "hash").await;
    }
    let mut replacer = Replacer::new(if wanted.action == "mask" { Action::Mask } else { Action::Redact });
    let mut given = |id: &str, value: &[u8], out: &mut Vec<u8>| {
        let kind = detector.kind(id).unwrap_or(Kind::EMAIL);
        replacer.replace(id, kind, value, out).is_ok()
    };
    let count = anew(&wanted.out, |out| plan.rewrite(&mut plan.open(&wanted.file)?, &mut given, out))?;
    told(work, &wanted.out, count)
}

pub(in crate::commands) async fn tokenize(work: &Work, wanted: &cli::Tokenize) -> Result<u8, Failure> {
    if wanted.form == "preserved" && wanted.kind.is_none() {
        let what = "tokens of the form of their value can only be found again as whole cells of a known kind";
        return Err(Failure::new(ids::USAGE, what).then("name --columns and --kind, or take --form random"));
    }
    let options = super::options(&wanted.wanted)?;
    if let Some(kind) = &wanted.kind {
        super::known(kind, options.recognisers.as_ref())?;
    }
    let detector = Detector::new(&options);
    let values = wanted.kind.clone().map_or(Values::Found(&detector), Values::Cells);
    let plan = plan(&wanted.file, &wanted.read, &wanted.columns, values, Some(&options))?;
    asked(work, &plan, &wanted.file, &wanted.out, &wanted.form).await
}

pub(in crate::commands) async fn detokenize(work: &Work, wanted: &cli::Detokenize) -> Result<u8, Failure> {
    let client = work.client().await?;
    let Some(kind) = &wanted.kind else { return random_back(work, &client, wanted).await };
    let plan = plan(&wanted.file, &wanted.read, &wanted.columns, Values::Cells(kind.clone()), None)?;
    let tokens = collected(&plan, &wanted.file)?;
    let stand = exchanged(
        &client,
        "/api/v1/tokens/values",
        "tokens",
        "values",
        &tokens,
        |kind| json!({ "kind": kind }),
    );
    let count = replaced(&plan, &wanted.file, &wanted.out, &stand.await?)?;
    told(work, &wanted.out, count)
}

/// Asks the project what stands for the values of a file, then writes it.
async fn asked(work: &Work, plan: &Plan<'_>, file: &Path, out: &Path, form: &str) -> Result<u8, Failure> {
    let client = work.client().await?;
    let values = collected(plan, file)?;
    let more = |kind: &str| json!({ "kind": kind, "form": form });
    let stand = exchanged(&client, "/api/v1/tokens", "values", "tokens", &values, more).await?;
    let count = replaced(plan, file, out, &stand)?;
    told(work, out, count)
}

/// Every value that is to be replaced, once.
fn collected(plan: &Plan<'_>, file: &Path) -> Result<BTreeSet<(String, Vec<u8>)>, Failure> {
    let mut values = BTreeSet::new();
    let mut given = |id: &str, value: &[u8], _: &mut Vec<u8>| {
        values.len() < VALUES && {
            values.insert((id.to_owned(), value.to_vec()));
            true
        }
    };
    let read = plan.rewrite(&mut plan.open(file)?, &mut given, &mut io::sink());
    if values.len() >= VALUES {
        return Err(Failure::new(
            ids::FILE,
            format!("there are more than {VALUES} different values in the file"),
        ));
    }
    read.map(|_| values)
}

async fn exchanged(
    client: &Client,
    path: &str,
    ask: &str,
    get: &str,
    values: &BTreeSet<(String, Vec<u8>)>,
    more: impl Fn(&str) -> Value,
) -> Result<Stand, Failure> {
    let mut stand = Stand::new();
    let mut by_kind: BTreeMap<&str, Vec<&[u8]>> = BTreeMap::new();
    for (kind, value) in values {
        by_kind.entry(kind).or_default().push(value);
    }
    for (kind, values) in by_kind {
        for batch in batches(&values) {
            let mut texts = Vec::with_capacity(batch.len());
            for value in batch {
                let text = std::str::from_utf8(value);
                texts.push(text.map_err(|_| {
                    Failure::new(ids::DELIVERY, format!("a value of kind `{kind}` is not UTF-8 text"))
                })?);
            }
            let mut body = more(kind);
            if let Some(members) = body.as_object_mut() {
                members.insert(ask.to_owned(), texts.into());
            }
            let answer = client.order(path, &body).await?;
            let got = answer.get(get).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            if got.len() != batch.len() {
                return Err(Failure::new(ids::INTERNAL, "the API answered with another number of values"));
            }
            for (value, got) in batch.iter().zip(got) {
                let got = got.as_str().unwrap_or_default().as_bytes().to_vec();
                stand.insert((kind.to_owned(), value.to_vec()), got);
            }
        }
    }
    Ok(stand)
}

/// Slices that fit a request.
fn batches<'v, 'b>(values: &'v [&'b [u8]]) -> Vec<&'v [&'b [u8]]> {
    let (mut batches, mut rest) = (Vec::new(), values);
    while !rest.is_empty() {
        let mut bytes = 0_usize;
        let fits = |value: &&&[u8]| {
            bytes = bytes.saturating_add(value.len());
            bytes <= BATCH_BYTES
        };
        let count = rest.iter().take(BATCH).take_while(fits).count().max(1);
        let (batch, further) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        batches.push(batch);
        rest = further;
    }
    batches
}

fn replaced(plan: &Plan<'_>, file: &Path, out: &Path, stand: &Stand) -> Result<u64, Failure> {
    let mut given = |id: &str, value: &[u8], written: &mut Vec<u8>| {
        let found = stand.get(&(id.to_owned(), value.to_vec()));
        found.is_some_and(|text| {
            written.extend_from_slice(text);
            true
        })
    };
    anew(out, |writer| plan.rewrite(&mut plan.open(file)?, &mut given, writer))
}

/// Random tokens anywhere in a file.
async fn random_back(work: &Work, client: &Client, wanted: &cli::Detokenize) -> Result<u8, Failure> {
    let layout = open(&wanted.file, wanted.read.format.as_deref())?.layout;
    let mut tokens = BTreeSet::new();
    pieces(&wanted.file, &mut io::sink(), |token| {
        tokens.insert((String::new(), token.to_string().into_bytes()));
        if tokens.len() >= VALUES {
            return Err(Failure::new(
                ids::FILE,
                format!("there are more than {VALUES} different tokens in the file"),
            ));
        }
        Ok(Vec::new())
    })?;
    let stand =
        exchanged(client, "/api/v1/tokens/values", "tokens", "values", &tokens, |_| json!({})).await?;
    let count = anew(&wanted.out, |out| {
        pieces(&wanted.file, out, |token| {
            let found = stand.get(&(String::new(), token.to_string().into_bytes()));
            let value = found.ok_or_else(|| Failure::new(ids::FILE, "the file changed while it was read"))?;
            Ok(written(layout, value))
        })
    })?;
    told_of(work, &wanted.out, count)
}

/// A value as a file has it in the place of its token, which in JSON is part of a string.
fn written(layout: Layout, value: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    match layout {
        Layout::Lines => json::escape(value, &mut text),
        _ => text.extend_from_slice(value),
    }
    text
}

/// Hands a file on in pieces that cut no token.
fn pieces(
    path: &Path,
    out: &mut dyn Write,
    mut value: impl FnMut(Token) -> Result<Vec<u8>, Failure>,
) -> Result<Replaced, Failure> {
    let (mut file, mut buffer, mut held, mut written) =
        (open(path, Some("text"))?, vec![0; 256 * 1024], Vec::new(), Vec::new());
    let mut count = Replaced::default();
    loop {
        let length = read(&mut file, &mut buffer)?;
        held.extend_from_slice(buffer.get(..length).unwrap_or_default());
        // A token that the end cuts begins behind here.
        let mut until = if length == 0 { held.len() } else { held.len().saturating_sub(TOKEN_BYTES) };
        let tail = held.get(until.saturating_sub(TOKEN_BYTES)..).unwrap_or_default();
        if let Some(at) = tail.windows(4).position(|four| four == b"bzt_").filter(|_| length > 0) {
            until = until.min(until.saturating_sub(TOKEN_BYTES).saturating_add(at));
        }
        count += replace_tokens(held.get(..until).unwrap_or_default(), &mut written, &mut value)?;
        held.drain(..until);
        out.write_all(&written).map_err(|error| file_failure(path, &error))?;
        written.clear();
        if length == 0 {
            return Ok(count);
        }
    }
}

fn plan<'d>(
    file: &Path,
    read: &cli::Read,
    columns: &[String],
    values: Values<'d>,
    options: Option<&DetectorOptions>,
) -> Result<Plan<'d>, Failure> {
    let said = read.format.clone();
    let mut layout = open(file, said.as_deref())?.layout;
    if let (Layout::Table(mark), Some(text)) = (&mut layout, &read.separator) {
        let separator: bartizan_data::Separator =
            text.parse().map_err(|error: bartizan_data::SeparatorInvalid| Failure::of(ids::USAGE, &error))?;
        *mark = separator.byte();
    }
    if !columns.is_empty() && !matches!(layout, Layout::Table(_)) {
        return Err(Failure::new(ids::USAGE, "only a table has columns").then("--format csv"));
    }
    let ruled_out = match (layout, &values, options) {
        (Layout::Table(separator), Values::Found(_), Some(options)) => {
            let mut file = open(file, said.as_deref())?;
            ruled_out(&mut file, separator, &ColumnDetector::new(options))?
        }
        _ => Vec::new(),
    };
    Ok(Plan { said, layout, columns: columns.to_vec(), values, ruled_out })
}

fn told(work: &Work, out: &Path, count: u64) -> Result<u8, Failure> {
    work.answer(&json!({ "file": out.display().to_string(), "replaced": count }))
}

/// Says what was turned back, and returns 1 when what looks like a token was not: nobody is to take the file for whole.
fn told_of(work: &Work, out: &Path, count: Replaced) -> Result<u8, Failure> {
    let Replaced { tokens, broken } = count;
    let mut told = json!({ "file": out.display().to_string(), "replaced": tokens });
    if broken > 0
        && let Some(members) = told.as_object_mut()
    {
        members.insert("broken_tokens".to_owned(), broken.into());
    }
    work.answer(&told)?;
    Ok(u8::from(broken > 0))
}
