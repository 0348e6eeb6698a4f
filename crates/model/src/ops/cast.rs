//! `Cast`: from one type to another.

use std::sync::Arc;

use crate::bound::{Bound, Fact};
use crate::node::{Build, Built, NodeFailed, NodeInvalid, Operator, collect, input, value};
use crate::tensor::{ElementType, Tensor, Values};

#[derive(Debug)]
struct Cast {
    to: ElementType,
}

pub(crate) fn cast(build: Build<'_, '_>) -> Result<Built, NodeInvalid> {
    build.arity(1, 1)?;
    let fact = build.input(0)?;
    // How numbers of eight bits saturate, which are not supported.
    build.attributes.ignore(&["saturate", "round_mode"]);
    let to = build.attributes.integer("to")?.ok_or_else(|| value("to", "is missing"))?;
    let to = ElementType::from_onnx(to).ok_or_else(|| value("to", "is a type that is not supported"))?;
    if fact.element == ElementType::Text && to == ElementType::Bool {
        return Err(value("to", "is a type that texts do not become"));
    }
    let mut output = Fact::new(to, fact.dims.clone());
    if fact.element == ElementType::I64 && to == ElementType::I64 {
        output.values.clone_from(&fact.values);
    }
    // A number as text has at most 32 bytes, and what counts a shared text another 16.
    let texts =
        if to == ElementType::Text { fact.elements().times(Bound::fixed(48)) } else { Bound::default() };
    let steps = if to == ElementType::Text || fact.element == ElementType::Text {
        fact.elements().times(Bound::fixed(256))
    } else {
        Bound::default()
    };
    Ok(Built::new(Cast { to }, vec![output]).with_scratch(texts).with_steps(steps))
}

/// The number that a text stands for, white space around it left out.
fn parse<T: std::str::FromStr>(text: &str) -> Result<T, NodeFailed> {
    // Longer than any number is: reading it would take long, too.
    if text.len() > 1_024 {
        return Err(NodeFailed::NotANumber);
    }
    text.trim().parse().map_err(|_| NodeFailed::NotANumber)
}

/// Significant digits of a float that is written.
const DIGITS: usize = 8;

/// A float as ONNX Runtime writes it, also one of 64 bits: [`DIGITS`], without trailing zeros.
fn write(x: f64) -> String {
    if x.is_nan() {
        return "NaN".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "INF" } else { "-INF" }.to_owned();
    }
    if x == 0.0 {
        return if x.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = format!("{:.*e}", DIGITS - 1, x);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let places = i32::try_from(DIGITS).unwrap_or(0);
    if exponent < -4 || exponent >= places {
        let mantissa = if mantissa.contains('.') {
            mantissa.trim_end_matches('0').trim_end_matches('.')
        } else {
            mantissa
        };
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
    let decimals = usize::try_from(places - 1 - exponent).unwrap_or(0);
    let fixed = format!("{x:.decimals$}");
    if fixed.contains('.') { fixed.trim_end_matches('0').trim_end_matches('.').to_owned() } else { fixed }
}

impl Operator for Cast {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "that is what a cast is for; floats out of range become the nearest whole number, NaN becomes 0"
    )]
    fn run(&self, inputs: &[Option<&Tensor>], _: u64) -> Result<Vec<Tensor>, NodeFailed> {
        macro_rules! numbers {
            ($values:expr, $text:expr) => {
                match self.to {
                    ElementType::F32 => Values::F32($values.iter().map(|x| *x as f32).collect()),
                    ElementType::F64 => Values::F64($values.iter().map(|x| *x as f64).collect()),
                    ElementType::I64 => Values::I64($values.iter().map(|x| *x as i64).collect()),
                    ElementType::I32 => Values::I32($values.iter().map(|x| *x as i32).collect()),
                    ElementType::Bool => Values::Bool($values.iter().map(|x| *x as f64 != 0.0).collect()),
                    ElementType::Text => Values::Text($values.iter().map(|x| Arc::from($text(*x))).collect()),
                }
            };
        }
        let tensor = input(inputs, 0)?;
        if tensor.element() == self.to {
            return Ok(vec![tensor.clone()]);
        }
        let values = match tensor.values() {
            Values::F32(values) => numbers!(values, |x| write(f64::from(x))),
            Values::F64(values) => numbers!(values, write),
            Values::I64(values) => numbers!(values, |x: i64| x.to_string()),
            Values::I32(values) => numbers!(values, |x: i32| x.to_string()),
            Values::Bool(values) => {
                let values: Vec<u8> = values.iter().map(|x| u8::from(*x)).collect();
                numbers!(values, |x: u8| x.to_string())
            }
            Values::Text(texts) => match self.to {
                ElementType::F32 => Values::F32(collect(texts.len(), texts.iter().map(|text| parse(text)))?),
                ElementType::F64 => Values::F64(collect(texts.len(), texts.iter().map(|text| parse(text)))?),
                ElementType::I64 => Values::I64(collect(texts.len(), texts.iter().map(|text| parse(text)))?),
                ElementType::I32 => Values::I32(collect(texts.len(), texts.iter().map(|text| parse(text)))?),
                ElementType::Bool | ElementType::Text => return Err(NodeFailed::Promise),
            },
        };
        Ok(vec![Tensor::new(tensor.shape().to_vec(), values)?])
    }
}
