//! Tokens in the place of personal values, and the values that they stand for.

use std::sync::Arc;

use bartizan_registry::TokenForm;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Values {
    kind: String,
    form: Form,
    values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Form {
    Preserved,
    Random,
    Hash,
}

/// Gives tokens for values. They are in the body, where no log of requests has them.
pub(super) async fn give(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let Values { kind, form, values } = call.json().await?;
    let form = match form {
        Form::Preserved => TokenForm::Preserved,
        Form::Random => TokenForm::Random,
        Form::Hash => TokenForm::Hash,
    };
    let tokens = app.registry.tokenize(&caller, kind, form, values).await?;
    Ok(Answer::Json(json!({ "tokens": tokens })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    kind: Option<String>,
    tokens: Vec<String>,
}

/// Turns tokens back.
pub(super) async fn turn_back(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let Tokens { kind, tokens } = call.json().await?;
    let values = app.registry.detokenize(&caller, kind, tokens).await?;
    Ok(Answer::Json(json!({ "values": values })))
}
