//! `prove`: the chain of a model version, or of a prediction, as one file.

use serde_json::{Value, json};

use super::predictions::located;
use super::{Work, encoded, version_path};
use crate::catalog::ids;
use crate::cli::Prove;
use crate::failure::Failure;

/// How ids of predictions begin; no version of a model is written so.
const PREDICTION: &str = "prd_";

pub(super) async fn run(work: &Work, wanted: &Prove) -> Result<u8, Failure> {
    let client = work.client().await?;
    let sizes: Vec<String> = wanted.since.iter().map(u64::to_string).collect();
    let mut query = vec![("since", sizes.join(","))];
    let path = if wanted.what.starts_with(PREDICTION) && !wanted.what.contains(':') {
        let path = format!("/api/v1/predictions/{}", encoded(&wanted.what));
        let shown = located(&client, &wanted.what, false).await?;
        let place = shown.get("sealed").map(|sealed| {
            let number = |name| sealed.get(name).and_then(Value::as_u64).unwrap_or_default();
            format!("{}-{}", number("segment"), number("index"))
        });
        let at = place.unwrap_or_default();
        if wanted.replay {
            client.post(&format!("{path}/replay?at={}", encoded(&at)), &json!({})).await?;
            work.out.note("the model, run again on what was asked, gives what was answered");
        }
        query.push(("at", at));
        query.push(("show", wanted.show.join(",")));
        query.push(("hide", wanted.hide.join(",")));
        path
    } else {
        if !wanted.show.is_empty() || !wanted.hide.is_empty() || wanted.replay {
            let what = "--show, --hide and --replay are about predictions, not about versions";
            return Err(Failure::new(ids::USAGE, what));
        }
        version_path("models", &wanted.what)?
    };
    let query: Vec<String> = query
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    let proof = client.bytes(&format!("{path}/proof?{}", query.join("&"))).await?;
    work.deliver(Some(&wanted.out), &proof)
}
