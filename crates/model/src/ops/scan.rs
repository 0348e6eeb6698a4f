//! `Scan`: a graph that is run for every element of a sequence, with a state that it hands on.
//!
//! It is the only loop there is, and its turns are bounded by a length that is known before the call.
#![expect(clippy::indexing_slicing, reason = "ranges are checked against the shapes they are taken from")]

use std::collections::HashMap;

use crate::bound::{Bound, Dim, Fact};
use crate::node::{Build, Built, NodeFailed, NodeInvalid, Operator, input, shapes, value};
use crate::ops::OperatorSets;
use crate::plan::{BOOKKEEPING, Plan};
use crate::tensor::{Tensor, Values};

#[derive(Debug)]
struct Scan {
    body: Plan,
    states: usize,
}

/// Builds the loop. Sequences run along their first dimension, forwards: what exporters write.
pub(crate) fn scan(
    build: Build<'_, '_>,
    sets: &OperatorSets,
    around: &HashMap<&str, Fact>,
) -> Result<Built, NodeInvalid> {
    if build.version < 9 {
        return Err(NodeInvalid::Disagree { what: "Scan before version 9 is not supported" });
    }
    let sequences =
        build.attributes.integer("num_scan_inputs")?.and_then(|count| usize::try_from(count).ok());
    let sequences = sequences.filter(|count| *count > 0 && *count <= build.inputs.len());
    let sequences = sequences.ok_or_else(|| value("num_scan_inputs", "is missing or out of range"))?;
    for name in ["scan_input_axes", "scan_input_directions", "scan_output_axes", "scan_output_directions"] {
        if build.attributes.integers(name)?.iter().any(|entry| *entry != 0) {
            return Err(value(name, "asks for another dimension than the first, or for backwards"));
        }
    }
    let states = build.inputs.len() - sequences;
    let body = build.attributes.graph("body")?;
    if body.inputs.len() != build.inputs.len() || body.outputs.len() < states || body.sparse {
        return Err(NodeInvalid::Disagree { what: "the graph inside does not take and give what it should" });
    }
    let mut turns: Option<Dim> = None;
    let mut inputs = Vec::with_capacity(build.inputs.len());
    for (index, port) in body.inputs.iter().enumerate() {
        let mut fact = build.input(index)?.clone();
        (fact.constant, fact.values) = (None, None);
        if index >= states {
            if fact.dims.is_empty() {
                return Err(NodeInvalid::Rank { index, rank: 0 });
            }
            let length = fact.dims.remove(0);
            turns = Some(turns.map_or(length, |turns| if turns.exact { turns } else { length }));
        }
        inputs.push((port.name, fact));
    }
    let turns = turns.unwrap_or(Dim::known(0));
    let state_facts: Vec<Fact> = inputs.iter().take(states).map(|(_, fact)| fact.clone()).collect();
    let body = Plan::of(body, inputs, around, sets)
        .map_err(|reason| NodeInvalid::Body { reason: chain(&reason) })?;
    let mut outputs = Vec::with_capacity(body.outputs.len());
    for (index, (fact, columns)) in body.outputs.into_iter().enumerate() {
        let mut output = Fact::new(fact.element, fact.dims);
        if columns.is_some() {
            return Err(NodeInvalid::Disagree { what: "the result of a ZipMap is only for the caller" });
        }
        match state_facts.get(index) {
            // A state that could grow from turn to turn has no bound.
            Some(state) if state.dims != output.dims || state.element != output.element => {
                return Err(NodeInvalid::Disagree {
                    what: "a state changes its type or shape from turn to turn",
                });
            }
            Some(_) => {}
            None => output.dims.insert(0, turns),
        }
        outputs.push(output);
    }
    let collected = outputs.iter().fold(Bound::default(), |sum, fact| sum.plus(fact.bytes()));
    let cut = build.inputs.iter().flatten().fold(Bound::default(), |sum, fact| sum.plus(fact.bytes()));
    let steps = body.steps.plus(Bound::fixed(1)).times(turns.most);
    // What a turn leaves is a tensor of its own until all are joined.
    let kept = turns.most.times(Bound::fixed(BOOKKEEPING.saturating_mul(outputs.len() as u64)));
    let scratch = body.memory.plus(collected).plus(cut).plus(kept);
    Ok(Built::new(Scan { body: body.plan, states }, outputs).with_steps(steps).with_scratch(scratch))
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The element of a sequence at `index`, with one dimension less.
fn element(sequence: &Tensor, index: usize) -> Result<Tensor, NodeFailed> {
    let shape = sequence.shape().get(1..).ok_or(NodeFailed::Promise)?;
    let length: usize = shape.iter().product();
    let range = index * length..(index + 1) * length;
    let values = match sequence.values() {
        Values::F32(values) => Values::F32(values[range].to_vec()),
        Values::F64(values) => Values::F64(values[range].to_vec()),
        Values::I64(values) => Values::I64(values[range].to_vec()),
        Values::I32(values) => Values::I32(values[range].to_vec()),
        Values::Bool(values) => Values::Bool(values[range].to_vec()),
        Values::Text(values) => Values::Text(values[range].to_vec()),
    };
    Ok(Tensor::new(shape.to_vec(), values)?)
}

/// One tensor with one dimension more.
fn stack(elements: &[Tensor]) -> Result<Tensor, NodeFailed> {
    let first = elements.first().ok_or(NodeFailed::Promise)?;
    macro_rules! join {
        ($kind:path) => {{
            let mut joined = Vec::with_capacity(elements.len() * first.values().len());
            for element in elements {
                match element.values() {
                    $kind(values) if element.shape() == first.shape() => joined.extend_from_slice(values),
                    _ => return Err(shapes("the turns of a loop differ in shape")),
                }
            }
            $kind(joined)
        }};
    }
    let values = match first.values() {
        Values::F32(_) => join!(Values::F32),
        Values::F64(_) => join!(Values::F64),
        Values::I64(_) => join!(Values::I64),
        Values::I32(_) => join!(Values::I32),
        Values::Bool(_) => join!(Values::Bool),
        Values::Text(_) => join!(Values::Text),
    };
    let shape = [&[elements.len()], first.shape()].concat();
    Ok(Tensor::new(shape, values)?)
}

impl Operator for Scan {
    fn run(&self, inputs: &[Option<&Tensor>], rows: u64) -> Result<Vec<Tensor>, NodeFailed> {
        let mut state: Vec<Tensor> = Vec::with_capacity(self.states);
        for index in 0..self.states {
            state.push(input(inputs, index)?.clone());
        }
        let sequences: Option<Vec<&Tensor>> = inputs[self.states..].iter().copied().collect();
        let sequences = sequences.ok_or(NodeFailed::Promise)?;
        let lengths: Vec<usize> =
            sequences.iter().filter_map(|sequence| sequence.shape().first().copied()).collect();
        let turns = lengths.first().copied().unwrap_or(0);
        if lengths.iter().any(|length| *length != turns) {
            return Err(shapes("the sequences of a loop differ in length"));
        }
        if turns == 0 {
            return Err(shapes("a loop without a turn"));
        }
        let mut collected: Vec<Vec<Tensor>> = Vec::new();
        for turn in 0..turns {
            for sequence in &sequences {
                state.push(element(sequence, turn)?);
            }
            let inside = |(node, source): (&str, NodeFailed)| NodeFailed::Inside {
                node: node.to_owned(),
                source: Box::new(source),
            };
            let mut results = self.body.run(std::mem::take(&mut state), rows).map_err(inside)?;
            let outputs = results.split_off(self.states.min(results.len()));
            collected.resize_with(outputs.len(), Vec::new);
            for (list, output) in collected.iter_mut().zip(outputs) {
                list.push(output);
            }
            state = results;
        }
        for list in &collected {
            state.push(stack(list)?);
        }
        Ok(state)
    }
}
