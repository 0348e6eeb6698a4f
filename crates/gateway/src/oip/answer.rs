//! Answers to inference requests, and errors, as the protocol writes them.

use std::fmt;

use bartizan_model::{Port, Tensor, Values};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};

use super::{Datatype, cut};
use crate::limits::MESSAGE_BYTES;

/// What an answer says about itself, beside its outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameters<'a> {
    /// The prediction's id.
    pub prediction_id: String,
    /// The model that answered, `NAME:VERSION`; none when a constant did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The manifest digest of that model, `sha256:...`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_digest: Option<String>,
    /// `primary` or `fallback`.
    pub answered_by: &'a str,
    /// Why it was not the primary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback_reason: Option<&'a str>,
    /// Columns with values unlike those of training.
    #[serde(skip_serializing_if = "is_zero")]
    pub flags: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// An answer, before it is bytes.
pub(crate) struct Response<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) version: Option<String>,
    pub(crate) id: Option<&'a str>,
    pub(crate) parameters: Parameters<'a>,
    pub(crate) outputs: &'a [(&'a Port, Tensor)],
}

#[derive(Serialize)]
struct ResponseWire<'a> {
    model_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    parameters: &'a Parameters<'a>,
    outputs: Vec<OutputWire<'a>>,
}

#[derive(Serialize)]
struct OutputWire<'a> {
    name: &'a str,
    datatype: &'static str,
    shape: &'a [usize],
    data: Readable<'a>,
}

/// The bytes of an answer. Floats are written with the fewest digits that read back as the same float.
///
/// # Errors
/// Never with finite outputs; what is not finite has no JSON form and was to be refused before.
pub(crate) fn response(response: &Response<'_>) -> Result<Vec<u8>, serde_json::Error> {
    let outputs = response.outputs.iter().map(|(port, tensor)| OutputWire {
        name: &port.name,
        datatype: Datatype::from(tensor.element()).as_str(),
        shape: tensor.shape(),
        data: Readable(tensor.values()),
    });
    let wire = ResponseWire {
        model_name: response.endpoint,
        model_version: response.version.as_deref(),
        id: response.id,
        parameters: &response.parameters,
        outputs: outputs.collect(),
    };
    json(
        512 + response.outputs.iter().map(|(_, tensor)| 64 + 12 * tensor.values().len()).sum::<usize>(),
        &wire,
    )
}

/// JSON of about so many bytes.
pub(crate) fn json(bytes: usize, value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::with_capacity(bytes);
    serde_json::to_writer(&mut out, value)?;
    Ok(out)
}

#[derive(Serialize)]
struct ErrorWire<'a> {
    error: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction_id: Option<&'a str>,
}

/// The body of an answer that is an error: a message for the caller, cut to [`MESSAGE_BYTES`], and an id that
/// explains it.
pub fn error(message: &str, id: &str) -> Vec<u8> {
    error_about(message, id, None)
}

/// The same, of a request that is on record.
pub(crate) fn recorded_error(message: &str, id: &str, prediction: &str) -> Vec<u8> {
    error_about(message, id, Some(prediction))
}

fn error_about(message: &str, id: &str, prediction_id: Option<&str>) -> Vec<u8> {
    let end = message.floor_char_boundary(MESSAGE_BYTES);
    let message = message.get(..end).unwrap_or_default();
    let wire = ErrorWire { error: message, id: &cut(id), prediction_id };
    // Texts always have a JSON form.
    serde_json::to_vec(&wire).unwrap_or_default()
}

/// Values as the protocol writes them for people and programs: one flat array.
struct Readable<'a>(&'a Values);

impl Serialize for Readable<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Values::F32(values) => serializer.collect_seq(values),
            Values::F64(values) => serializer.collect_seq(values),
            Values::I64(values) => serializer.collect_seq(values),
            Values::I32(values) => serializer.collect_seq(values),
            Values::Bool(values) => serializer.collect_seq(values),
            Values::Text(values) => texts(values, serializer),
        }
    }
}

/// Values as records hold them: every bit, and no number in text. Texts are an array; anything else is the base64 of
/// the elements one after the other, little-endian, a truth value in one byte: what the protocol's binary form has.
pub(crate) struct Shown<'a>(pub(crate) &'a Values);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Values::Text(values) => texts(values, serializer),
            _ => serializer.collect_str(self),
        }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Values::F32(values) => base64(f, values, |value| value.to_le_bytes()),
            Values::F64(values) => base64(f, values, |value| value.to_le_bytes()),
            Values::I64(values) => base64(f, values, |value| value.to_le_bytes()),
            Values::I32(values) => base64(f, values, |value| value.to_le_bytes()),
            Values::Bool(values) => base64(f, values, |value| [u8::from(*value)]),
            // They have another form.
            Values::Text(_) => Err(fmt::Error),
        }
    }
}

/// Writes base64 of the bytes of all values, some at a time, so that it needs no memory for them.
fn base64<T, const N: usize>(
    f: &mut fmt::Formatter<'_>,
    values: &[T],
    bytes: impl Fn(&T) -> [u8; N],
) -> fmt::Result {
    // Whole groups of three bytes, whatever the size of a value: only the last piece is padded.
    const VALUES: usize = 24;
    let (mut raw, mut text) = ([[0; N]; VALUES], [0; 4 * VALUES * 8 / 3]);
    for piece in values.chunks(VALUES) {
        raw.iter_mut().zip(piece).for_each(|(to, value)| *to = bytes(value));
        let raw = raw.get(..piece.len()).unwrap_or_default().as_flattened();
        let length = STANDARD.encode_slice(raw, &mut text).map_err(|_| fmt::Error)?;
        let text = text.get(..length).and_then(|text| std::str::from_utf8(text).ok());
        f.write_str(text.ok_or(fmt::Error)?)?;
    }
    Ok(())
}

fn texts<S: Serializer>(values: &[std::sync::Arc<str>], serializer: S) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(values.len()))?;
    for value in values {
        sequence.serialize_element(&**value)?;
    }
    sequence.end()
}
