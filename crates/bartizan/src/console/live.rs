//! What changes on a page while somebody looks at it, by key: the page and its updates are made from the same values.

use std::collections::BTreeMap;

use maud::{Markup, html};

/// The values of one moment.
#[derive(Debug, Default)]
pub(crate) struct Values(BTreeMap<String, String>);

impl Values {
    pub(super) fn put(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.insert(key.into(), value.into());
    }

    fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    /// As a JSON object, which the script of the page puts in its places.
    pub(crate) fn to_json(&self) -> String {
        // A map of texts has a form in JSON.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// A text that changes.
    pub(super) fn text(&self, key: &str) -> Markup {
        html! { span data-live=(key) { (self.get(key)) } }
    }

    /// A text in a chart that changes.
    pub(super) fn label(&self, key: &str, class: &str, x: &str, y: &str) -> Markup {
        html! { text class=(class) x=(x) y=(y) data-live=(key) { (self.get(key)) } }
    }

    /// A path that changes.
    pub(super) fn path(&self, key: &str, class: &str) -> Markup {
        html! { path class=(class) data-live-d=(key) d=(self.get(key)) {} }
    }

    /// What a chart says to those who do not see it.
    pub(super) fn chart(&self, key: &str, view_box: &str, content: &Markup) -> Markup {
        html! {
            svg.chart viewBox=(view_box) role="img" data-live-label=(key) aria-label=(self.get(key)) { (content) }
        }
    }
}
