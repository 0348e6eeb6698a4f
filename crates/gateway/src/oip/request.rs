//! Inference requests: from bytes to tensors, in one pass and within limits.

use std::borrow::Cow;
use std::fmt;

use bartizan_model::Tensor;
use bartizan_model::limits::RANK;

use super::data::{self, Data};
use super::json::Reader;
use super::{Datatype, RequestInvalid, check_name, cut};
use crate::limits::{BODY_BYTES, ELEMENTS, PARAMETERS, REQUEST_ID_BYTES, TENSORS};

const REQUEST: &str = "the request";
const INPUT: &str = "an input";
const OUTPUT: &str = "a requested output";

/// Parameters of other servers that would change what data mean or what is to be answered. What is not understood
/// and changes nothing is passed over.
const REFUSED: [&str; 4] =
    ["binary_data_size", "shared_memory_region", "classification", "shared_memory_byte_size"];

/// Values of the parameter `content_type` under which data mean what they say.
const PLAIN_CONTENT: [&str; 3] = ["np", "pd", "str"];

/// An inference request: names, types and shapes hold together, but nobody has asked the model yet.
#[derive(Clone, PartialEq)]
pub struct Request<'a> {
    /// What the caller calls it.
    pub id: Option<Cow<'a, str>>,
    /// The inputs, in the caller's order, no name twice.
    pub inputs: Vec<(Cow<'a, str>, Tensor)>,
    /// The outputs that are wanted, no name twice; all of them if it does not say.
    pub outputs: Option<Vec<Cow<'a, str>>>,
}

/// What is asked is personal and not for logs.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inputs: Vec<_> = self.inputs.iter().map(|(name, tensor)| (name, tensor.shape())).collect();
        f.debug_struct("Request")
            .field("inputs", &inputs)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

impl<'a> Request<'a> {
    /// Reads the body of an inference request.
    ///
    /// Every byte is looked at once, but for data in front of their own `datatype`, which are looked at twice. Memory
    /// is at most a few times that of the body.
    ///
    /// # Errors
    /// When it is too large, not JSON, or not what the protocol calls an inference request.
    pub fn parse(body: &'a [u8]) -> Result<Self, RequestInvalid> {
        if body.len() > BODY_BYTES {
            return Err(RequestInvalid::TooLarge { bytes: body.len() });
        }
        let text =
            std::str::from_utf8(body).map_err(|error| RequestInvalid::NotUtf8 { at: error.valid_up_to() })?;
        let mut reader = Reader::new(text);
        let reader = &mut reader;
        let (mut id, mut inputs, mut outputs, mut parameters) = (None, None, None, None);
        members(reader, REQUEST, |reader, name| match name {
            "id" => once(&mut id, name, REQUEST, || unless_null(reader, identifier)),
            "inputs" => once(&mut inputs, name, REQUEST, || read_inputs(reader)),
            "outputs" => once(&mut outputs, name, REQUEST, || unless_null(reader, read_outputs)),
            "parameters" => once(&mut parameters, name, REQUEST, || unless_null(reader, read_parameters)),
            _ => Err(RequestInvalid::Unknown { name: cut(name), of: REQUEST }),
        })?;
        reader.end()?;
        let inputs = inputs.ok_or(RequestInvalid::Missing { name: "inputs", of: REQUEST })?;
        Ok(Self { id: id.flatten(), inputs, outputs: outputs.flatten() })
    }
}

/// Reads an object: hands each member's name to `member`, which reads its value.
fn members<'a>(
    reader: &mut Reader<'a>,
    of: &'static str,
    mut member: impl FnMut(&mut Reader<'a>, &str) -> Result<(), RequestInvalid>,
) -> Result<(), RequestInvalid> {
    if !reader.take(b'{') {
        return Err(reader.refuse(if of == REQUEST { "a request is an object" } else { "not an object" }));
    }
    if reader.take(b'}') {
        return Ok(());
    }
    loop {
        let name = reader.string()?;
        reader.expect(b':', "no colon after the name of a member")?;
        member(reader, &name)?;
        if reader.take(b'}') {
            return Ok(());
        }
        reader.expect(b',', "an object does not go on")?;
    }
}

/// Reads an array of at most [`TENSORS`] things.
fn list<'a, T>(
    reader: &mut Reader<'a>,
    what: &'static str,
    mut item: impl FnMut(&mut Reader<'a>) -> Result<T, RequestInvalid>,
) -> Result<Vec<T>, RequestInvalid> {
    reader.expect(b'[', "not an array")?;
    let mut items = Vec::new();
    if reader.take(b']') {
        return Ok(items);
    }
    loop {
        if items.len() == TENSORS {
            return Err(RequestInvalid::TooMany { what, most: TENSORS });
        }
        items.push(item(reader)?);
        if reader.take(b']') {
            return Ok(items);
        }
        reader.expect(b',', "an array does not go on")?;
    }
}

/// Reads a member's value, unless there was one.
fn once<T>(
    place: &mut Option<T>,
    name: &str,
    of: &'static str,
    read: impl FnOnce() -> Result<T, RequestInvalid>,
) -> Result<(), RequestInvalid> {
    if place.is_some() {
        return Err(RequestInvalid::Twice { name: cut(name), of });
    }
    *place = Some(read()?);
    Ok(())
}

/// Reads a member that may be left out: other software writes `null` for that.
fn unless_null<'a, T>(
    reader: &mut Reader<'a>,
    read: fn(&mut Reader<'a>) -> Result<T, RequestInvalid>,
) -> Result<Option<T>, RequestInvalid> {
    if reader.peek() == Some(b'n') && reader.word("null") {
        return Ok(None);
    }
    read(reader).map(Some)
}

fn identifier<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, RequestInvalid> {
    let id = reader.string()?;
    check_name(&id, REQUEST_ID_BYTES)?;
    Ok(id)
}

fn read_inputs<'a>(reader: &mut Reader<'a>) -> Result<Vec<(Cow<'a, str>, Tensor)>, RequestInvalid> {
    let mut room = ELEMENTS;
    let inputs = list(reader, "inputs", |reader| input(reader, &mut room))?;
    no_name_twice(inputs.iter().map(|(name, _)| &**name).collect(), "the inputs")?;
    Ok(inputs)
}

fn read_outputs<'a>(reader: &mut Reader<'a>) -> Result<Vec<Cow<'a, str>>, RequestInvalid> {
    let outputs = list(reader, "requested outputs", output)?;
    no_name_twice(outputs.iter().map(|name| &**name).collect(), "the requested outputs")?;
    Ok(outputs)
}

fn no_name_twice(mut names: Vec<&str>, of: &'static str) -> Result<(), RequestInvalid> {
    names.sort_unstable();
    match names.windows(2).find(|pair| pair.first() == pair.last()).and_then(<[&str]>::first) {
        Some(name) => Err(RequestInvalid::Twice { name: cut(name), of }),
        None => Ok(()),
    }
}

/// Data as far as they can be read when they come.
enum Found {
    Read(Data),
    /// Type or name come later: data begin here.
    Later(usize),
}

fn input<'a>(reader: &mut Reader<'a>, room: &mut usize) -> Result<(Cow<'a, str>, Tensor), RequestInvalid> {
    let (mut name, mut shape, mut datatype, mut parameters) = (None, None, None, None);
    let mut found = None;
    members(reader, INPUT, |reader, member| match member {
        "name" => once(&mut name, member, INPUT, || tensor_name(reader)),
        "shape" => once(&mut shape, member, INPUT, || read_shape(reader)),
        "datatype" => once(&mut datatype, member, INPUT, || read_datatype(reader)),
        "parameters" => once(&mut parameters, member, INPUT, || unless_null(reader, read_parameters)),
        "data" => once(&mut found, member, INPUT, || match (&name, datatype) {
            (Some(name), Some(datatype)) => data::read(reader, name, datatype, room).map(Found::Read),
            _ => {
                reader.peek();
                let at = reader.at();
                data::skip(reader).map(|()| Found::Later(at))
            }
        }),
        _ => Err(RequestInvalid::Unknown { name: cut(member), of: INPUT }),
    })?;
    let missing = |name| RequestInvalid::Missing { name, of: INPUT };
    let name = name.ok_or_else(|| missing("name"))?;
    let shape: Vec<usize> = shape.ok_or_else(|| missing("shape"))?;
    let datatype = datatype.ok_or_else(|| missing("datatype"))?;
    let data = match found.ok_or_else(|| missing("data"))? {
        Found::Read(data) => data,
        Found::Later(at) => data::read(&mut reader.from(at), &name, datatype, room)?,
    };
    if !data.fits(&shape) {
        return Err(RequestInvalid::Shape { input: cut(&name), shape });
    }
    let tensor = Tensor::new(shape.clone(), data.values);
    let tensor = tensor.map_err(|_| RequestInvalid::Shape { input: cut(&name), shape })?;
    Ok((name, tensor))
}

fn output<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, RequestInvalid> {
    let (mut name, mut parameters) = (None, None);
    members(reader, OUTPUT, |reader, member| match member {
        "name" => once(&mut name, member, OUTPUT, || tensor_name(reader)),
        "parameters" => once(&mut parameters, member, OUTPUT, || unless_null(reader, read_parameters)),
        _ => Err(RequestInvalid::Unknown { name: cut(member), of: OUTPUT }),
    })?;
    name.ok_or(RequestInvalid::Missing { name: "name", of: OUTPUT })
}

fn tensor_name<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, RequestInvalid> {
    let name = reader.string()?;
    check_name(&name, crate::limits::NAME_BYTES)?;
    Ok(name)
}

fn read_datatype(reader: &mut Reader<'_>) -> Result<Datatype, RequestInvalid> {
    let text = reader.string()?;
    text.parse().map_err(|()| RequestInvalid::Datatype { datatype: cut(&text) })
}

fn read_shape(reader: &mut Reader<'_>) -> Result<Vec<usize>, RequestInvalid> {
    let dimension = |reader: &mut Reader<'_>| {
        reader.peek();
        let (text, fraction) = reader.number()?;
        let dimension = text.parse().ok().filter(|_| !fraction);
        dimension.ok_or_else(|| reader.refuse("a dimension is a whole number, and not negative"))
    };
    let shape = list(reader, "dimensions", dimension)?;
    if shape.len() > RANK {
        return Err(RequestInvalid::TooMany { what: "dimensions", most: RANK });
    }
    Ok(shape)
}

/// Reads parameters: texts, numbers and truth values, of which none changes anything; `null` is as good as nothing.
fn read_parameters(reader: &mut Reader<'_>) -> Result<(), RequestInvalid> {
    let mut names: Vec<String> = Vec::new();
    members(reader, "a `parameters` object", |reader, name| {
        check_name(name, crate::limits::NAME_BYTES)?;
        if REFUSED.contains(&name) {
            return Err(RequestInvalid::Parameter { name: name.to_owned() });
        }
        if names.iter().any(|other| other == name) {
            return Err(RequestInvalid::Twice { name: cut(name), of: "a `parameters` object" });
        }
        if names.len() == PARAMETERS {
            return Err(RequestInvalid::TooMany { what: "parameters", most: PARAMETERS });
        }
        names.push(name.to_owned());
        match reader.peek() {
            Some(b'"') => {
                let text = reader.string()?;
                if name == "content_type" && !PLAIN_CONTENT.contains(&&*text) {
                    return Err(RequestInvalid::Parameter { name: name.to_owned() });
                }
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => reader.number().map(|_| ()),
            _ if ["true", "false", "null"].iter().any(|word| reader.word(word)) => Ok(()),
            _ => Err(reader.refuse("a parameter is a text, a number or a truth value")),
        }
    })
}
