//! A constant answer as it is stored: with what the model takes and gives, so that it answers also without the model.

use bartizan_model::{Dimension, ElementType, Port, Signature};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::constant::{Constant, ConstantInvalid};
use crate::limits::{NAME_BYTES, TENSORS};
use crate::oip::{Datatype, Request, RequestInvalid};

/// The `format` of the document.
const FORMAT: &str = "bartizan-constant-answer-v1";

/// A stored constant answer that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoredInvalid {
    /// The bytes are no document of this format.
    #[error("the document is no constant answer")]
    Document,
    /// Its tensors cannot be read.
    #[error("the constant answer is not the `outputs` of an inference response")]
    Outputs(#[from] RequestInvalid),
    /// Its tensors are not what the model gives.
    #[error("the constant answer is not one of the model")]
    Constant(#[from] ConstantInvalid),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    gives: Vec<PortDocument>,
    outputs: Value,
    takes: Vec<PortDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PortDocument {
    datatype: String,
    name: String,
    shape: Vec<Length>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Length {
    Fixed(usize),
    Other(OtherLength),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OtherLength {
    Rows,
    Open,
}

impl Constant {
    /// The document that keeps a constant answer of a model: `outputs` are those of an inference response for one row.
    ///
    /// # Errors
    /// When they are not, or the model has other outputs.
    pub fn to_document(signature: &Signature, outputs: Value) -> Result<Vec<u8>, StoredInvalid> {
        read(signature, &outputs)?;
        let ports = |ports: &[Port]| ports.iter().map(port_document).collect();
        let (gives, takes) = (ports(&signature.outputs), ports(&signature.inputs));
        let document = Document { format: FORMAT.to_owned(), gives, outputs, takes };
        serde_json::to_vec(&document).map_err(|_| StoredInvalid::Document)
    }

    /// The outputs in the document, to keep them for another model.
    ///
    /// # Errors
    /// When it is none.
    pub fn outputs_of(bytes: &[u8]) -> Result<Value, StoredInvalid> {
        let document: Document = serde_json::from_slice(bytes).map_err(|_| StoredInvalid::Document)?;
        if document.format == FORMAT { Ok(document.outputs) } else { Err(StoredInvalid::Document) }
    }

    /// Reads the document, for the model that is there or, without one, for that which it was made for.
    ///
    /// # Errors
    /// When it is none, or the model has other outputs.
    pub fn from_document(bytes: &[u8], signature: Option<&Signature>) -> Result<Self, StoredInvalid> {
        let document: Document = serde_json::from_slice(bytes).map_err(|_| StoredInvalid::Document)?;
        if document.format != FORMAT {
            return Err(StoredInvalid::Document);
        }
        if let Some(signature) = signature {
            return read(signature, &document.outputs);
        }
        let ports = |documents: Vec<PortDocument>| {
            let few = documents.len() <= TENSORS;
            few.then_some(documents)?.into_iter().map(port).collect::<Option<Vec<_>>>()
        };
        let (inputs, outputs) = (ports(document.takes), ports(document.gives));
        let (Some(inputs), Some(outputs)) = (inputs, outputs) else { return Err(StoredInvalid::Document) };
        read(&Signature { inputs, outputs }, &document.outputs)
    }
}

fn read(signature: &Signature, outputs: &Value) -> Result<Constant, StoredInvalid> {
    // Outputs have the form of inputs, so the parser of requests reads them, with all its limits.
    let body = format!(r#"{{"inputs":{outputs}}}"#);
    let parsed = Request::parse(body.as_bytes())?;
    let given = parsed.inputs.into_iter().map(|(name, tensor)| (name.into_owned(), tensor)).collect();
    Ok(Constant::check(signature, given)?)
}

fn port_document(port: &Port) -> PortDocument {
    let length = |dimension: &Dimension| match dimension {
        Dimension::Rows => Length::Other(OtherLength::Rows),
        Dimension::Fixed(length) => Length::Fixed(*length),
        Dimension::Open => Length::Other(OtherLength::Open),
    };
    PortDocument {
        datatype: Datatype::from(port.element).as_str().to_owned(),
        name: port.name.clone(),
        shape: port.shape.iter().map(length).collect(),
    }
}

fn element(datatype: Datatype) -> ElementType {
    match datatype {
        Datatype::Bool => ElementType::Bool,
        Datatype::Int32 => ElementType::I32,
        Datatype::Int64 => ElementType::I64,
        Datatype::Fp32 => ElementType::F32,
        Datatype::Fp64 => ElementType::F64,
        Datatype::Bytes => ElementType::Text,
    }
}

fn port(document: PortDocument) -> Option<Port> {
    let dimension = |length: Length| match length {
        Length::Fixed(length) => Dimension::Fixed(length),
        Length::Other(OtherLength::Rows) => Dimension::Rows,
        Length::Other(OtherLength::Open) => Dimension::Open,
    };
    let datatype: Datatype = document.datatype.parse().ok()?;
    let fits = document.name.len() <= NAME_BYTES && document.shape.len() <= bartizan_model::limits::RANK;
    fits.then(|| Port {
        name: document.name,
        element: element(datatype),
        shape: document.shape.into_iter().map(dimension).collect(),
        columns: None,
    })
}
