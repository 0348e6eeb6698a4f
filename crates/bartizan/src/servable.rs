//! Whether a model that is imported or trained can be served, said at once instead of at its first route.

use std::error::Error;
use std::fs::File;
use std::io::Read;

use bartizan_model::Model;
use bartizan_model::limits::MODEL_BYTES;

use crate::catalog::ids;
use crate::failure::Failure;

/// How files of other formats become ONNX, by the ending of their names.
const EXPORTS: [(&[&str], &str); 6] = [
    (
        &["pkl", "pickle", "joblib"],
        "pickled Python runs code when it is opened; skl2onnx.to_onnx(model, rows) exports it",
    ),
    (&["pt", "pth", "pt2"], "torch.onnx.export(model, example, \"model.onnx\") exports it"),
    (&["h5", "keras", "pb", "tflite"], "tf2onnx exports it"),
    (&["ubj", "bst", "xgb"], "onnxmltools.convert_xgboost(model) exports it"),
    (&["lgb"], "onnxmltools.convert_lightgbm(model) exports it"),
    (&["cbm"], "model.save_model(\"model.onnx\", format=\"onnx\") exports it"),
];

/// Says in a few words whether these files can be served, and what to do when they cannot.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn note<F>(
    files: &[F],
    path: impl Fn(&F) -> &str,
    open: impl Fn(&F) -> Result<File, Failure>,
) -> Result<String, Failure> {
    let ending = |path: &str| path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let onnx: Vec<&F> = files.iter().filter(|file| path(file).ends_with(".onnx")).collect();
    match onnx.as_slice() {
        [] => {
            let known = |file: &F| {
                let ending = ending(path(file))?;
                let (_, how) = EXPORTS.iter().find(|(endings, _)| endings.contains(&ending.as_str()))?;
                Some(format!("no: {} is not ONNX; {how}", path(file)))
            };
            Ok(files.iter().find_map(known).unwrap_or_else(|| "no: no file is called *.onnx".to_owned()))
        }
        [file] => {
            let mut bytes = Vec::new();
            let most = u64::try_from(MODEL_BYTES).unwrap_or(u64::MAX).saturating_add(1);
            let read = open(file)?.take(most).read_to_end(&mut bytes);
            read.map_err(|error| crate::commands::file_failure(path(file).as_ref(), &error))?;
            Ok(Model::load(&bytes)
                .map_or_else(|error| format!("no: {}", whole(&error)), |_| "yes".to_owned()))
        }
        many => Ok(format!("no: {} files are called *.onnx, and one is served", many.len())),
    }
}

fn whole(error: &dyn Error) -> String {
    let Failure { what, why, .. } = Failure::of(ids::INFER_UNAVAILABLE, error);
    std::iter::once(what).chain(why).collect::<Vec<_>>().join(": ")
}
