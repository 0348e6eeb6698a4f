//! The story that the demo tells: people, data, a model, its approval and its proof.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON members are read by name: what is not there reads as null and never panics"
)]

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use bartizan_keys::{Algorithm, OsRandom, SigningKey, oms};

use super::generate::{self, Poison};
use super::label::Label;
use super::poison::poison_csv;
use super::stage::Stage;
use super::station;
use super::table::Table;
use super::{DemoOptions, Lines};

/// Rows of a generated batch.
const ROWS: usize = 20_000;

/// The demo under way.
pub(crate) struct Story<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) data: PathBuf,
    input: Input,
    trained: Trained,
    label_above: Option<f64>,
    pub(crate) engineer: String,
    pub(crate) approver: String,
    /// Who may see what is recorded of predictions, and erase it.
    pub(crate) auditor: String,
    pub(crate) trust: PathBuf,
    pub(crate) proof: PathBuf,
    /// The data directory as it was right after the approval.
    pub(crate) earlier: PathBuf,
    /// The model's files.
    pub(crate) model_dir: PathBuf,
}

/// A model that was trained before the story begins.
struct Trained {
    onnx: Vec<u8>,
    /// Columns that it reads.
    columns: usize,
    /// The share of rows, kept from it, that it is right about.
    accuracy: f64,
}

/// The files that the demo works on, and what must never turn up in the ledger.
pub(crate) struct Input {
    clean: Vec<u8>,
    second: Vec<u8>,
    poisoned: Vec<u8>,
    what_was_poisoned: String,
    label: String,
    pub(crate) secrets: Vec<String>,
}

impl<'a> Story<'a> {
    /// Makes or reads the data, and trains the model.
    pub(crate) fn prepare(options: &DemoOptions, stage: &'a Stage) -> Result<Self> {
        let input = match &options.csv {
            Some(path) => Input::from_file(path, options)?,
            None => Input::generated(options.seed),
        };
        let trained = elsewhere(&input, options.label_above, stage)?;
        Ok(Self {
            stage,
            data: stage.data_dir(),
            input,
            trained,
            label_above: options.label_above,
            engineer: String::new(),
            approver: String::new(),
            auditor: String::new(),
            trust: stage.path("trust.json"),
            proof: stage.path("fraud-1.proof.json"),
            earlier: stage.path("attack-earlier"),
            model_dir: stage.path("model"),
        })
    }

    /// The e-mail addresses and card numbers that the data holds.
    pub(crate) fn secrets(&self) -> &[String] {
        &self.input.secrets
    }

    /// The second half of the data.
    pub(crate) fn table(&self) -> Result<Table> {
        Table::parse(&self.input.second, None).context("the data is no table")
    }

    /// What to say to `train`: the column that is predicted, and above which number a label counts as yes.
    pub(crate) fn training(&self) -> Vec<String> {
        let mut said = vec!["--label".to_owned(), self.input.label.clone()];
        if let Some(above) = self.label_above {
            said.extend(["--label-above".to_owned(), above.to_string()]);
        }
        said
    }

    /// Sets the project up: people, roles, tier, trust file.
    pub(crate) fn begin(&mut self, lines: &mut Lines<'_>) -> Result<()> {
        let init = self.ask(None, &["init"])?;
        lines.step("a project with its keys, ledger and first admin", &short(&text(&init, "project")?))?;
        self.engineer = self.person("eve", &["ml-engineer"])?;
        self.approver = self.person("adam", &["approver"])?;
        self.auditor = self.person("sam", &["security"])?;
        self.person("ada", &["admin"])?;
        let who = "eve (ml-engineer), adam (approver), sam (security), ada";
        lines.step(who, "each enrols and claims an API key")?;
        self.ask(None, &["access", "tier", "release"])?;
        lines.step("tier `release`: duties are separated", "explore -> release")?;
        let trust = self.trust.to_string_lossy().into_owned();
        self.ask(Some(&self.approver), &["keys", "export", "--out", &trust])?;
        lines.step("adam takes the trust file out of the house", "trust.json")
    }

    fn person(&self, name: &str, roles: &[&str]) -> Result<String> {
        self.ask(None, &["access", "user", "add", name])?;
        let enrol = self.ask(None, &["access", "key", "create", name, "--enrol", "--days", "1"])?;
        let key = self.ask(Some(&text(&enrol, "key")?), &["access", "key", "claim", "--days", "1"])?;
        for role in roles {
            self.ask(None, &["access", "role", "grant", name, role])?;
        }
        text(&key, "key")
    }

    /// A clean batch is accepted, a second one is checked against its schema, a poisoned one is refused.
    pub(crate) fn data(&mut self, lines: &mut Lines<'_>) -> Result<()> {
        let clean = self.file("clean.csv", &self.input.clean)?;
        let schema = self.stage.path("schema.toml").to_string_lossy().into_owned();
        let infer = ["data", "schema", "infer", &clean, "--label", &self.input.label, "--out", &schema];
        let inferred = self.stage.run(None, &infer)?;
        ensure!(inferred.code == 0, "the schema was not inferred:\n{}", inferred.stderr);
        let add = |file: &str, more: &[&str]| {
            let mut arguments = vec!["data", "add", "transactions", file, "--schema", &schema];
            arguments.extend_from_slice(more);
            self.stage.on(&self.data, Some(&self.engineer), &arguments)
        };
        let first = add(&clean, &["--source", "demo feed"])?;
        ensure!(first.code == 0, "the clean batch was refused:\n{}{}", first.stdout, first.stderr);
        let first: Value =
            serde_json::from_str(&first.stdout).context("`data add` did not answer in JSON")?;
        let evidence =
            format!("{}, {} rows, entry {}", text(&first, "version")?, first["rows"], first["entry"]);
        lines.step("a clean batch is checked and accepted", &evidence)?;
        let second = self.file("second.csv", &self.input.second)?;
        let signature = station::signed(self, &second, lines)?;
        let signed = ["--source", station::FEED, "--signature", &signature, "--extend"];
        let second = add(&second, &signed)?;
        ensure!(second.code == 0, "the second clean batch was refused:\n{}{}", second.stdout, second.stderr);
        let second: Value =
            serde_json::from_str(&second.stdout).context("`data add` did not answer in JSON")?;
        lines.step(
            "a second batch, signed by that source, extends it",
            &format!("{}, root {}", text(&second, "version")?, short(&text(&second, "root")?)),
        )?;
        station::tampered_on_the_way(self, &signature, lines)?;
        let poisoned = self.file("poisoned.csv", &self.input.poisoned)?;
        let refused = add(&poisoned, &["--source", "demo feed", "--extend"])?;
        ensure!(
            refused.code == 1,
            "the poisoned batch was not refused (code {}):\n{}",
            refused.code,
            refused.stderr
        );
        let refused: Value =
            serde_json::from_str(&refused.stdout).context("`data add` did not answer in JSON")?;
        let evidence = format!(
            "{} blocking findings ({})",
            refused["verdict"]["blocking"], self.input.what_was_poisoned
        );
        lines.step("a poisoned batch is refused, on the record", &evidence)?;
        if let Some(reason) = refused["reasons"].as_array().and_then(|reasons| reasons.first()) {
            lines.step("  with the reason", reason.as_str().unwrap_or_default())?;
        }
        station::look(self, &schema, lines)
    }

    /// A model is trained, signed by its publisher, imported, and approved by a second person.
    pub(crate) fn model(&mut self, lines: &mut Lines<'_>) -> Result<()> {
        let Trained { onnx, columns, accuracy } = &self.trained;
        self.stage.write("model/model.onnx", onnx)?;
        let card = format!("columns: {columns}\naccuracy on rows held out: {accuracy:.3}\n");
        self.stage.write("model/README.md", card.as_bytes())?;
        let evidence = format!("{columns} columns, accuracy {accuracy:.2}");
        lines.step("a model is trained elsewhere and written as ONNX", &evidence)?;
        let (bundle, signer) = self.publish(onnx, card.as_bytes())?;
        let imported = self.stage.on(
            &self.data,
            Some(&self.engineer),
            &self.import(&bundle, &signer).iter().map(String::as_str).collect::<Vec<_>>(),
        )?;
        ensure!(imported.code == 0, "the import failed:\n{}", imported.stderr);
        let imported: Value =
            serde_json::from_str(&imported.stdout).context("`model import` did not answer in JSON")?;
        let evidence =
            format!("{}, manifest {}", text(&imported, "version")?, short(&text(&imported, "manifest")?));
        lines.step("eve imports it with its publisher's signature and origin", &evidence)?;
        let own = self.stage.on(&self.data, Some(&self.engineer), &["model", "approve", "fraud:1"])?;
        lines.step(
            "eve cannot approve her own import",
            own.refused("self-approval", super::attacks::REFUSED)?,
        )?;
        let approved = self.ask(Some(&self.approver), &["model", "approve", "fraud:1"])?;
        ensure!(approved["state"] == "approved", "fraud:1 is {} after its approval", approved["state"]);
        lines.step("adam approves it", "fraud:1 is approved")?;
        let verified = self.ask(Some(&self.approver), &["model", "verify", "fraud:1"])?;
        ensure!(verified["released"] == true, "fraud:1 is not released: {verified}");
        let evidence = format!("{} files, {} bytes re-read", verified["files"], verified["bytes"]);
        lines.step("every stored byte and the signature are verified", &evidence)
    }

    /// The arguments of the import, with a publisher's bundle and the key that must have made it.
    pub(crate) fn import(&self, bundle: &Path, signer: &Path) -> Vec<String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let mut arguments: Vec<String> = vec!["model".into(), "import".into(), path(&self.model_dir)];
        for (flag, value) in [
            ("--name", "fraud".to_owned()),
            ("--trained-on", "transactions:2".to_owned()),
            ("--origin", "trained off line with `bartizan train`".to_owned()),
            ("--signature", path(bundle)),
            ("--signer", path(signer)),
        ] {
            arguments.push(flag.to_owned());
            arguments.push(value);
        }
        arguments
    }

    /// The publisher signs the model's files with a key of its own (OpenSSF Model Signing).
    fn publish(&self, onnx: &[u8], card: &[u8]) -> Result<(PathBuf, PathBuf)> {
        let key =
            SigningKey::generate(Algorithm::EcdsaP256Sha256, &mut OsRandom).context("no publisher key")?;
        let digest = |path: &str, bytes| oms::FileDigest {
            path: path.to_owned(),
            digest: bartizan_base::sha256(bytes),
        };
        let files = [digest("README.md", card), digest("model.onnx", onnx)];
        let bundle = oms::sign("model", &files, &[], &key).context("the publisher could not sign")?;
        let signer = self.stage.write("publisher.pem", key.public().pem().as_bytes())?;
        Ok((self.stage.write("model.sig", &bundle)?, signer))
    }

    /// The proof is written, and verified by a process that has nothing but it and the trust file.
    pub(crate) fn prove(&mut self, lines: &mut Lines<'_>) -> Result<()> {
        self.stage.copy_of(&self.data, "attack-earlier").map(|copy| self.earlier = copy)?;
        let proof = self.proof.to_string_lossy().into_owned();
        self.ask(Some(&self.approver), &["prove", "fraud:1", "--out", &proof])?;
        let size = std::fs::metadata(&self.proof).context("the proof was not written")?.len();
        lines.step("the chain is written as one file", &format!("{size} bytes"))?;
        let model = self.model_dir.to_string_lossy().into_owned();
        let verified = self.verify(&self.proof, &self.trust, &["--of", "fraud:1", "--model", &model])?;
        ensure!(verified.code == 0, "the proof does not verify:\n{}{}", verified.stdout, verified.stderr);
        let verified: Value =
            serde_json::from_str(&verified.stdout).context("`verify` did not answer in JSON")?;
        let evidence = format!(
            "{} facts proven, tree size {}",
            verified["proven"].as_array().map_or(0, Vec::len),
            verified["treeSize"]
        );
        lines.step("another process verifies model, proof and trust file", &evidence)
    }

    /// Runs `verify` off line, allowing the demo's development keys by name.
    pub(crate) fn verify(&self, proof: &Path, trust: &Path, more: &[&str]) -> Result<super::stage::Ran> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let (proof, trust) = (path(proof), path(trust));
        let mut all = vec!["-o", "json", "verify", &proof, "--trust", &trust, "--allow-development"];
        all.extend_from_slice(more);
        self.stage.run(None, &all)
    }

    pub(crate) fn ask(&self, token: Option<&str>, arguments: &[&str]) -> Result<Value> {
        self.stage.ask(&self.data, token, arguments)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<String> {
        Ok(self.stage.write(name, bytes)?.to_string_lossy().into_owned())
    }
}

impl Input {
    fn generated(seed: u64) -> Self {
        let clean = generate::clean(seed, ROWS);
        let second = generate::clean(seed.wrapping_add(1), ROWS / 2);
        let poisoned = generate::poisoned(seed.wrapping_add(2), ROWS / 2, Poison::default());
        let mut secrets = Vec::new();
        for batch in [&clean, &second, &poisoned] {
            secrets.extend(batch.emails.iter().chain(&batch.cards).cloned());
        }
        let what_was_poisoned = format!("{} rows by one source", poisoned.tampered);
        Self {
            clean: clean.csv,
            second: second.csv,
            poisoned: poisoned.csv,
            what_was_poisoned,
            label: generate::LABEL.to_owned(),
            secrets,
        }
    }

    fn from_file(path: &Path, options: &DemoOptions) -> Result<Self> {
        let csv = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let label = options.label.clone().context("`--csv` needs `--label COLUMN`")?;
        let table = Table::parse(&csv, options.separator)?;
        let wanted = Label { column: &label, above: options.label_above };
        let poisoned = poison_csv(&table, wanted, options.seed)?;
        let what_was_poisoned = format!("{} rows tampered with", poisoned.tampered);
        let (clean, second) = halves(&table);
        Ok(Self {
            clean,
            second,
            poisoned: poisoned.csv,
            what_was_poisoned,
            label: label.clone(),
            secrets: Vec::new(),
        })
    }
}

/// Trains on both deliveries as somebody would who has no project: off line, with the command for that.
fn elsewhere(input: &Input, label_above: Option<f64>, stage: &Stage) -> Result<Trained> {
    let place =
        |name: &str, bytes: &[u8]| stage.write(name, bytes).map(|path| path.to_string_lossy().into_owned());
    let (clean, second) =
        (place("elsewhere/clean.csv", &input.clean)?, place("elsewhere/second.csv", &input.second)?);
    let out = stage.path("elsewhere/out").to_string_lossy().into_owned();
    let mut arguments = vec!["-o", "json", "train", &clean, &second, "--label", &input.label, "--out", &out];
    let above = label_above.map(|above| above.to_string());
    if let Some(above) = &above {
        arguments.extend(["--label-above", above]);
    }
    let ran = stage.run(None, &arguments)?;
    ensure!(ran.code == 0, "no model can be trained:\n{}", ran.stderr);
    let told: Value = serde_json::from_str(&ran.stdout).context("`train` did not answer in JSON")?;
    let path = text(&told, "model")?;
    let onnx = std::fs::read(&path).with_context(|| format!("cannot read {path}"))?;
    let columns = told["parameters"]["columns"].as_array().context("`train` names no columns")?.len();
    let accuracy =
        told["metrics"]["accuracy"].as_f64().context("there are too few rows to judge a model by")?;
    Ok(Trained { onnx, columns, accuracy })
}

/// The even and the odd rows of a file, each with its header.
fn halves(table: &Table) -> (Vec<u8>, Vec<u8>) {
    let separator = table.separator();
    let mut parts = (Vec::new(), Vec::new());
    for part in [&mut parts.0, &mut parts.1] {
        super::table::write_row(part, separator, table.columns().iter().map(String::as_bytes));
    }
    for row in 0..table.rows() {
        let part = if row % 2 == 0 { &mut parts.0 } else { &mut parts.1 };
        super::table::write_row(
            part,
            separator,
            (0..table.columns().len()).map(|column| table.cell(row, column)),
        );
    }
    parts
}

/// A member of an answer that must be text.
pub(crate) fn text(value: &Value, member: &str) -> Result<String> {
    value[member]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("the answer has no `{member}`: {value}"))
}

/// The first characters of an id or digest.
pub(crate) fn short(id: &str) -> String {
    id.chars().take(16).collect()
}
