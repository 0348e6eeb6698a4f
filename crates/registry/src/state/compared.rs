//! Data set statements: what deliveries were compared with beside their schema.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_base::Name;
use bartizan_policy::Tier;

use super::{Coverage, Dataset, NotAdmitted, State, edge};
use crate::limits::COMPARED_TABLES;
use crate::statement::{ComparedV1, ComparedWithV1, DatasetV1, Private, SchemaFrom};

impl State {
    /// Checks what a version says that it was compared with: what is a data set version is an accepted one, and in tier
    /// release neither the time nor the tables nor a reference are what whoever delivers says.
    pub(super) fn check_compared(
        &self,
        index: u64,
        body: &DatasetV1,
        compared: &ComparedV1,
    ) -> Result<(), NotAdmitted> {
        let what = || format!("data set {}", body.name);
        if compared.tables.len() > COMPARED_TABLES {
            return Err(edge(index, what(), "its values were looked up in too many tables"));
        }
        let release = self.tier() == Tier::Release;
        let why = unlike_any(compared, body.version.is_some())
            .or_else(|| brought(compared).filter(|_| release))
            .or_else(|| self.chosen_anew(body, compared).filter(|_| release));
        if let Some(why) = why {
            return Err(edge(index, what(), why));
        }
        for with in compared.tables.iter().chain(&compared.reference) {
            let Some(version) = &with.version else { continue };
            let there = match self.dataset(version) {
                Some(found) => found.body.root == with.digest,
                None => self.coverage == Coverage::Excerpt,
            };
            if !there {
                return Err(edge(
                    index,
                    version,
                    "no accepted data set version with that root was compared with",
                ));
            }
        }
        Ok(())
    }

    /// Why a version that keeps its schema is not compared with what goes with that. An excerpt does not hold all versions
    /// before.
    fn chosen_anew(&self, body: &DatasetV1, compared: &ComparedV1) -> Option<&'static str> {
        if self.coverage == Coverage::Excerpt || body.schema_from != SchemaFrom::Kept {
            return None;
        }
        if compared.reference.as_ref().is_some_and(|with| !self.keeps_reference(body, with)) {
            return Some("in tier release a data set that keeps its schema keeps its reference too");
        }
        let elsewhere = |table: &ComparedWithV1| {
            bound(table).is_some_and(|(place, name)| {
                // Most often the version before says it.
                let mut before = self.keeping(&body.name, &body.schema).flat_map(bindings);
                before.find(|(at, _)| *at == place).is_some_and(|(_, before)| before != name)
            })
        };
        compared.tables.iter().any(elsewhere).then_some(
            "in tier release a data set that keeps its schema looks its values up in the same data sets",
        )
    }

    /// Whether a version that keeps its schema is compared with the reference that goes with it. One that was named in tier
    /// explore may be other than the schema says, which nobody sees here, so that it binds nobody.
    fn keeps_reference(&self, body: &DatasetV1, with: &ComparedWithV1) -> bool {
        self.referring(&body.name, &body.schema).is_none_or(|(version, kept)| {
            version.body.verdict.tier == Tier::Explore
                || (kept.digest, &kept.version) == (with.digest, &with.version)
        })
    }

    /// What the versions of a data set that keep its schema compare distributions with: the last one that was compared
    /// with anything says so, because in some environments of a schema nothing asks for it.
    pub(crate) fn kept_reference(&self, name: &Name, schema: &Private) -> Option<&ComparedWithV1> {
        self.referring(name, schema).map(|(_, kept)| kept)
    }

    fn referring(&self, name: &Name, schema: &Private) -> Option<(&Dataset, &ComparedWithV1)> {
        let versions = self.keeping(name, schema);
        versions.filter_map(|one| Some((one, one.body.compared.as_ref()?.reference.as_ref()?))).next()
    }

    /// The data sets that the versions of a data set with its schema look values up in, by the places of the tables among
    /// those of the schema: for each, the last one that was named.
    pub(crate) fn bound_tables(&self, name: &Name, schema: &Private) -> BTreeMap<u32, &Name> {
        let mut tables = BTreeMap::new();
        for (place, name) in self.keeping(name, schema).flat_map(bindings) {
            tables.entry(place).or_insert(name);
        }
        tables
    }

    /// The last versions of a data set that have one schema, the last first.
    fn keeping(&self, name: &Name, schema: &Private) -> impl Iterator<Item = &Dataset> {
        let versions = self.datasets.get(name).into_iter().flat_map(|versions| versions.values().rev());
        versions.take_while(move |version| version.body.schema == *schema)
    }
}

/// The places of the tables that a version's values were looked up in, and the data sets that these are.
fn bindings(version: &Dataset) -> impl Iterator<Item = (u32, &Name)> {
    version.body.compared.iter().flat_map(|compared| &compared.tables).filter_map(bound)
}

fn bound(table: &ComparedWithV1) -> Option<(u32, &Name)> {
    Some((table.place?, &table.version.as_ref()?.name))
}

/// Why it cannot be what deliveries were compared with: an empty one, or more or less than is known of a file, of a
/// version, of a table, and of a reference that is kept.
fn unlike_any(compared: &ComparedV1, accepted: bool) -> Option<&'static str> {
    let ComparedV1 { now, reference, tables } = compared;
    if now.is_none() && reference.is_none() && tables.is_empty() {
        return Some("it was compared with nothing, and says with what");
    }
    if tables.iter().any(|table| table.content.is_some()) {
        return Some("a table that its values were looked up in is kept with it");
    }
    let mut places = BTreeSet::new();
    if !tables.iter().filter_map(|table| table.place).all(|place| places.insert(place)) {
        return Some("its values were looked up in one table twice");
    }
    let reference = reference.as_ref()?;
    if reference.place.is_some() {
        return Some("its reference is said to be one of the tables");
    }
    if reference.version.is_some() && reference.content.is_some() {
        return Some("its reference is both a data set version and a file");
    }
    let lost = accepted && reference.version.is_none() && reference.content.is_none();
    lost.then_some("it is accepted, and the file that is its reference is not kept")
}

/// Why it is not what deliveries are compared with in tier release.
fn brought(compared: &ComparedV1) -> Option<&'static str> {
    if compared.now.is_some() || compared.tables.iter().any(|table| table.version.is_none()) {
        return Some("in tier release it was compared with what came along");
    }
    compared
        .tables
        .iter()
        .any(|table| table.place.is_none())
        .then_some("in tier release it does not say which tables its values were looked up in")
}

#[cfg(test)]
mod tests;
