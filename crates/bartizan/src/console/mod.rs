//! The read-only pages of the console: views in, HTML out.
//!
//! Pages are rendered on the server and work without JavaScript; they hold no inline script, no inline style and no
//! address outside this server, so that [`CONTENT_SECURITY_POLICY`] can forbid all of that. One small script keeps
//! numbers up to date: it sets texts and paths, and makes no markup. This module knows no registry, no request and
//! no session: whoever calls it has resolved and authorised what is shown.
//!
//! ```text
//!   registry state --(the caller)--> view --(page, version, endpoint, ledger, ...)--> Markup --> answer
//!   numbers ---------(the caller)--> view --(numbers)--> Values --> in the page, and in every event after it
//!                                      |
//!                                      +-- text from outside: escaped by maud, isolated by <bdi>
//! ```
//!
//! Reading order: [`view`] says what pages are told, [`page`] what surrounds them, [`overview`] is the first of them,
//! [`version`] and [`chain`] are the page of a model version, [`models`] and [`assets`](mod@assets) lists, [`lineage`] walks,
//! [`endpoint`] and [`numbers`] an endpoint, [`ledger`] entries, `format` and `chart` how values are written and drawn.

mod assets;
mod chain;
mod chart;
mod endpoint;
mod format;
mod icons;
mod ledger;
mod lineage;
mod live;
mod models;
mod numbers;
mod overview;
mod page;
#[cfg(test)]
mod sample;
mod version;
pub(crate) mod view;

use std::sync::LazyLock;

use bartizan_base::sha256;

pub(crate) use self::assets::{data_sets_page, runs_page};
pub(crate) use self::endpoint::{endpoint_page, endpoints_page};
pub(crate) use self::format::counted;
pub(crate) use self::ledger::{entry_page, ledger_page};
pub(crate) use self::lineage::lineage_page;
pub(crate) use self::models::models_page;
pub(crate) use self::numbers::values;
pub(crate) use self::overview::overview_page;
pub(crate) use self::page::{error_page, not_found_page, sign_in_page};
pub(crate) use self::version::model_version_page;

/// The policy that every page is to be answered with, as the header `Content-Security-Policy`.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// The style sheet of all pages.
pub(crate) const CONSOLE_CSS: &str = include_str!("console.css");

/// The script of pages that keep themselves up to date.
pub(crate) const CONSOLE_JS: &str = include_str!("console.js");

/// The mark of the brand as a file of its own, for the browser's tab.
pub(crate) const MARK_SVG: &str = include_str!("mark.svg");

/// The address of the list of models; a version's page is `{MODELS_PATH}/{model}/{version}`.
pub(crate) const MODELS_PATH: &str = "/models";

/// The address of the first page.
pub(crate) const OVERVIEW_PATH: &str = "/";

/// The address of the list of endpoints; an endpoint's page is `{ENDPOINTS_PATH}/{name}`.
pub(crate) const ENDPOINTS_PATH: &str = "/endpoints";

/// The address of the list of data sets.
pub(crate) const DATA_SETS_PATH: &str = "/datasets";

/// The address of the list of training runs.
pub(crate) const RUNS_PATH: &str = "/runs";

/// The address of lineage; a walk is `{LINEAGE_PATH}?of={thing}&direction={up or down}`.
pub(crate) const LINEAGE_PATH: &str = "/lineage";

/// The address of the ledger; an entry's page is `{LEDGER_PATH}/{index}`.
pub(crate) const LEDGER_PATH: &str = "/ledger";

/// A file that pages refer to. It may be served to anybody and cached for ever: its address changes with it.
#[derive(Debug)]
pub(crate) struct Asset {
    /// The address without the query.
    pub(crate) path: &'static str,
    /// The media type.
    pub(crate) content_type: &'static str,
    /// The content.
    pub(crate) body: &'static str,
    /// The first 16 hexadecimal digits of the content's SHA-256.
    pub(crate) digest: String,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new("/assets/console.css", "text/css; charset=utf-8", CONSOLE_CSS),
        Asset::new("/assets/mark.svg", "image/svg+xml", MARK_SVG),
        Asset::new("/assets/console.js", "text/javascript; charset=utf-8", CONSOLE_JS),
    ]
});

/// Every file that pages refer to: the style sheet, the mark, then the script.
pub(crate) fn assets() -> &'static [Asset; 3] {
    &ASSETS
}

impl Asset {
    fn new(path: &'static str, content_type: &'static str, body: &'static str) -> Self {
        let digest = sha256(body.as_bytes()).to_hex().chars().take(16).collect();
        Self { path, content_type, body, digest }
    }

    /// The address that pages name: the path, and the digest as `?v=`.
    pub(crate) fn href(&self) -> String {
        format!("{}?v={}", self.path, self.digest)
    }
}

/// The address of the page of one model version.
pub(crate) fn version_path(model: &str, version: u64) -> String {
    format!("{MODELS_PATH}/{}/{version}", format::path_segment(model))
}

/// The address of the page of an endpoint.
pub(crate) fn endpoint_path(endpoint: &str) -> String {
    format!("{ENDPOINTS_PATH}/{}", format::path_segment(endpoint))
}

/// The address of a walk from a thing.
pub(crate) fn lineage_path(thing: &str, direction: &str) -> String {
    format!("{LINEAGE_PATH}?of={}&direction={direction}", format::path_segment(thing))
}

#[cfg(test)]
mod tests;
