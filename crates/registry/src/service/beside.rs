//! What deliveries are compared with beside their schema: a reference and tables, uploaded or versions of this project.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_base::{Digest, Name, Timestamp, VersionRef, sha256};
use bartizan_data::{Beside, CsvOptions, Format, NotBeside, Other, Profile, Schema, Source};
use bartizan_keys::Sealed;
use bartizan_policy::{DatasetFacts, Tier, op};

use super::checked::threads;
use super::held::Taken;
use super::uploads::UploadId;
use super::write::private;
use super::{Caller, Failed, Inner, Registry};
use crate::limits::{COMPARED_TABLES, DOCUMENT_BYTES};
use crate::proof::read_private;
use crate::state::{Dataset, State};
use crate::statement::{ComparedV1, ComparedWithV1, Private};

/// What rules of a schema may need beside the deliveries.
#[derive(Debug, Clone, Default)]
pub struct NewBeside {
    /// Which environment of the schema the deliveries are for.
    pub environment: Option<String>,
    /// What time it is, for rules of freshness; the server's clock if nobody says.
    pub now: Option<Timestamp>,
    /// What the deliveries are written in, unless their first bytes say.
    pub format: Option<Format>,
    /// What distributions are compared with. If nothing is named and the schema is kept, that of the versions before.
    pub reference: Option<CompareWith>,
    /// Tables that values are looked up in, by the names that the schema has for them.
    pub tables: Vec<(String, CompareWith)>,
}

/// Something to compare deliveries with.
#[derive(Debug, Clone)]
pub enum CompareWith {
    /// What was uploaded for it: a stored profile, or a table.
    Upload(UploadId),
    /// A data set version of this project.
    Version(VersionRef),
}

impl NewBeside {
    fn is_empty(&self) -> bool {
        let Self { environment, now, format, reference, tables } = self;
        environment.is_none() && now.is_none() && format.is_none() && reference.is_none() && tables.is_empty()
    }
}

/// The uploads among it, taken for use.
#[derive(Debug, Default)]
pub(super) struct Brought {
    reference: Option<Taken>,
    tables: Vec<Option<Taken>>,
}

impl Brought {
    /// What nobody needs once the deliveries were checked: only what a version's statement names is kept.
    /// `named` is whether one names the reference, or may do so.
    pub(super) fn unused(self, named: bool) -> Vec<Taken> {
        let reference = self.reference.filter(|_| !named);
        self.tables.into_iter().flatten().chain(reference).collect()
    }
}

/// What deliveries are compared with, found, and not read yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathered {
    environment: Option<String>,
    now: Option<Timestamp>,
    pub(super) format: Option<Format>,
    /// The reference that the caller named.
    named: Option<Found>,
    /// The one that goes with the schema of the version before.
    kept: Option<Found>,
    tables: Vec<(String, Found)>,
    /// The data sets that go with the schema of the version before as tables, by their places, see
    /// [`ComparedWithV1::place`].
    bound: BTreeMap<u32, Name>,
    /// In tier release, where neither is for whoever delivers to choose.
    release: bool,
    /// Whether the caller named any of it.
    pub(super) told: bool,
}

#[derive(Debug, Clone)]
enum Found {
    Upload(Sealed),
    /// The profile that an earlier version was compared with.
    Kept(Digest, Private),
    Version(VersionRef, Chain),
}

/// A data set version: the one it extends and so on, the oldest first.
#[derive(Debug, Clone)]
struct Chain {
    root: Digest,
    links: Vec<Link>,
}

/// What one version added to those before it.
#[derive(Debug, Clone)]
struct Link {
    schema: Private,
    profile: Private,
    parts: Vec<Private>,
}

impl Registry {
    /// Takes the uploads that were made for it.
    pub(super) fn take_beside(&self, caller: &Caller, beside: &NewBeside) -> (Brought, Option<Failed>) {
        let (mut brought, mut missing) = (Brought::default(), None);
        let mut take = |other: &CompareWith| match other {
            CompareWith::Version(_) => None,
            CompareWith::Upload(id) => match self.take_upload(caller, *id) {
                Ok(taken) => Some(taken),
                Err(failed) => {
                    missing = Some(failed);
                    None
                }
            },
        };
        brought.reference = beside.reference.as_ref().and_then(&mut take);
        brought.tables = beside.tables.iter().map(|(_, other)| take(other)).collect();
        (brought, missing)
    }

    /// Finds all of it. Whoever compares with a data set version may see it.
    pub(super) async fn gather(
        &self,
        caller: &Caller,
        state: &State,
        beside: &NewBeside,
        brought: &Brought,
        last: Option<&Dataset>,
    ) -> Result<Gathered, Failed> {
        if beside.tables.len() > COMPARED_TABLES {
            return Err(Failed::invalid(
                "tables",
                format!("values are looked up in at most {COMPARED_TABLES}"),
            ));
        }
        let named = match &beside.reference {
            Some(named) => Some(self.find(caller, state, named, brought.reference.as_ref()).await?),
            None => None,
        };
        let mut tables = Vec::with_capacity(beside.tables.len());
        for ((name, named), taken) in beside.tables.iter().zip(&brought.tables) {
            tables.push((name.clone(), self.find(caller, state, named, taken.as_ref()).await?));
        }
        let release = state.tier() == Tier::Release;
        if release && let Some(why) = chosen_anew(beside, &tables) {
            return Err(Failed::conflict("what the deliveries are compared with", why));
        }
        let bound = match last.filter(|_| release && !tables.is_empty()) {
            Some(last) => state.bound_tables(&last.body.name, &last.body.schema),
            None => BTreeMap::new(),
        };
        Ok(Gathered {
            environment: beside.environment.clone(),
            now: beside.now,
            format: beside.format,
            named,
            kept: last.and_then(|last| kept(state, last)),
            tables,
            bound: bound.into_iter().map(|(place, name)| (place, name.clone())).collect(),
            release,
            told: !beside.is_empty(),
        })
    }

    async fn find(
        &self,
        caller: &Caller,
        state: &State,
        named: &CompareWith,
        taken: Option<&Taken>,
    ) -> Result<Found, Failed> {
        let version = match (named, taken) {
            (CompareWith::Upload(_), Some(taken)) => return Ok(Found::Upload(taken.sealed().clone())),
            (CompareWith::Upload(id), None) => return Err(Failed::not_found("upload", id)),
            (CompareWith::Version(version), _) => version,
        };
        let facts = DatasetFacts { name: version.name.clone(), version: Some(version.version) };
        self.allow(caller, op::DataShow, facts).await.map(|_| ())?;
        let found = state.dataset(version).ok_or_else(|| Failed::not_found("data set version", version))?;
        Ok(Found::Version(version.clone(), chain(state, found)))
    }
}

/// In tier release a data set keeps its schema, because whoever delivers does not choose what deliveries are checked
/// against; nor do they choose what its rules look at beside them.
fn chosen_anew(beside: &NewBeside, tables: &[(String, Found)]) -> Option<String> {
    if beside.now.is_some() {
        return Some(
            "in tier release the server's clock says what time it is: leave out the time".to_owned(),
        );
    }
    let (name, _) = tables.iter().find(|(_, found)| matches!(found, Found::Upload(_)))?;
    Some(format!(
        "in tier release values are looked up in data set versions of the project: add the table `{name}` as a data set, \
         and name its version"
    ))
}

/// The place of a table among all that a schema names, in their order.
fn place<'a>(asked: impl IntoIterator<Item = &'a str>, name: &str) -> Option<u32> {
    let at = asked.into_iter().position(|asked| asked == name)?;
    u32::try_from(at).ok()
}

fn kept(state: &State, last: &Dataset) -> Option<Found> {
    let with = state.kept_reference(&last.body.name, &last.body.schema)?;
    match &with.version {
        Some(version) => Some(Found::Version(version.clone(), chain(state, state.dataset(version)?))),
        None => with.content.clone().map(|content| Found::Kept(with.digest, content)),
    }
}

fn chain(state: &State, version: &Dataset) -> Chain {
    let (mut links, mut next) = (Vec::new(), Some(version));
    while let Some(one) = next {
        let parts = one.body.parts.iter().filter_map(|part| part.content.clone()).collect();
        let (schema, profile) = (one.body.schema.clone(), one.body.profile.clone());
        links.push(Link { schema, profile, parts });
        next = one.body.extends.as_ref().and_then(|base| state.dataset(&base.version));
    }
    links.reverse();
    Chain { root: version.body.root, links }
}

impl Found {
    /// Whether distributions are compared with the same thing.
    fn is(&self, other: &Self) -> bool {
        let (one, other) = (self.stated(false), other.stated(false));
        (one.digest, one.version) == (other.digest, other.version)
    }

    /// What a statement says of it; the profile of a reference is kept for the versions after.
    fn stated(&self, keep: bool) -> ComparedWithV1 {
        match self {
            Self::Upload(sealed) => ComparedWithV1 {
                digest: sealed.digest,
                version: None,
                content: keep.then(|| private(sealed)),
                place: None,
            },
            Self::Kept(digest, content) => {
                ComparedWithV1 { digest: *digest, version: None, content: Some(content.clone()), place: None }
            }
            Self::Version(version, chain) => ComparedWithV1 {
                digest: chain.root,
                version: Some(version.clone()),
                content: None,
                place: None,
            },
        }
    }
}

impl Gathered {
    /// The reference that is used, where a rule asks for one and the schema is kept.
    fn reference(&self) -> Option<&Found> {
        self.named.as_ref().or(self.kept.as_ref())
    }

    /// Rules that an environment does not mean are not looked at, and no statement names the environment: in tier release
    /// it is the first one of the schema.
    fn check_environment(&self, schema: &Schema) -> Result<(), Failed> {
        let Some(given) = self.environment.as_ref().filter(|_| self.release) else { return Ok(()) };
        match schema.environments.first() {
            Some(first) if first != given && schema.environments.contains(given) => {
                let why = format!(
                    "in tier release deliveries are for the first environment of their schema, `{first}`: a data set for \
                     another one has a schema that names that first"
                );
                Err(Failed::conflict(format!("environment `{given}`"), why))
            }
            _ => Ok(()),
        }
    }

    /// In tier release a table is the data set that it was for the versions before with the same schema, in whatever
    /// version.
    fn check_tables(&self, schema: &Schema, keeps: bool) -> Result<(), Failed> {
        for (name, found) in self.tables.iter().filter(|_| self.release && keeps) {
            let bound = place(schema.tables(), name).and_then(|place| self.bound.get(&place));
            let (Some(bound), Found::Version(version, _)) = (bound, found) else { continue };
            if version.name != *bound {
                let why = format!(
                    "in tier release a data set that keeps its schema looks its values up in the same data sets, and this \
                     is `{bound}`, in any version: data that is compared with another is another data set"
                );
                return Err(Failed::conflict(format!("table `{name}`"), why));
            }
        }
        Ok(())
    }

    /// The reference that a schema asks for, and the digest that it has to have. One that nobody named goes with the
    /// schema that is kept and with no other, unless the schema names the digest of another; only one that is named in tier
    /// explore may be other than the schema says. Where none goes with it, whoever needs one first names it.
    fn reference_for(
        &self,
        schema: &Schema,
        keeps: bool,
    ) -> Result<Option<(&Found, Option<Digest>)>, Failed> {
        let asked = schema.needs_reference(schema.environment(self.environment.as_deref()));
        let pinned = schema.reference.as_ref().and_then(|named| named.sha256);
        let is_pinned = |kept: &&Found| pinned.is_none_or(|pinned| kept.stated(false).digest == pinned);
        let kept = self.kept.as_ref().filter(|_| keeps).filter(is_pinned);
        let Some(named) = &self.named else {
            return Ok(kept.filter(|_| asked).map(|kept| (kept, pinned)));
        };
        if !asked {
            let why = "no rule of the schema compares distributions with one";
            return Err(Failed::invalid("reference", why));
        }
        if self.release && keeps {
            let may = kept.is_none_or(|kept| named.is(kept));
            if !may {
                let why = "in tier release a data set that keeps its schema keeps its reference too: leave the reference \
                           out; data that is compared with another is another data set";
                return Err(Failed::conflict("reference", why));
            }
        }
        Ok(Some((named, pinned.filter(|_| self.release))))
    }

    /// How many things it names in a statement.
    pub(super) fn count(&self) -> usize {
        self.tables.len() + usize::from(self.reference().is_some())
    }

    /// What a statement says of it; nothing when the rules asked for nothing. `asked` are all tables that the schema looks
    /// values up in, and `keep` is whether the deliveries are.
    pub(super) fn stated(
        &self,
        compared: &bartizan_data::Compared,
        asked: &BTreeSet<String>,
        keep: bool,
    ) -> Option<Box<ComparedV1>> {
        let table = |(name, found): &(String, Found)| {
            let place = place(asked.iter().map(String::as_str), name);
            ComparedWithV1 { place, ..found.stated(false) }
        };
        let reference = self.reference().filter(|_| compared.reference.is_some());
        let stated = ComparedV1 {
            now: self.now.filter(|_| compared.now.is_some()),
            reference: reference.map(|found| found.stated(keep)),
            tables: self.tables.iter().map(table).collect(),
        };
        let nothing = stated.now.is_none() && stated.reference.is_none() && stated.tables.is_empty();
        (!nothing).then(|| Box::new(stated))
    }
}

impl Inner {
    /// Reads all of it, for checks by one schema, which is that of the version before if it `keeps` that.
    pub(super) fn beside(&self, gathered: &Gathered, schema: &Schema, keeps: bool) -> Result<Beside, Failed> {
        gathered.check_environment(schema)?;
        gathered.check_tables(schema, keeps)?;
        let now = gathered.now.unwrap_or_else(|| self.clock.now());
        let mut beside = Beside::new(gathered.environment.clone(), Some(now));
        if let Some((found, pinned)) = gathered.reference_for(schema, keeps)? {
            self.take_reference(&mut beside, found, pinned)?;
        }
        for (name, found) in &gathered.tables {
            let read = match found {
                Found::Upload(sealed) => {
                    let content = self.content(sealed)?;
                    beside.read_table(schema, name, content, threads()).map_err(NotRead::from)
                }
                Found::Version(version, chain) => {
                    let of = Other { digest: chain.root, version: Some(version.to_string()) };
                    beside.read_version(schema, name, self.parts_of(chain), threads(), of)
                }
                // Only references are kept.
                Found::Kept(..) => return Err(Failed::Interrupted),
            };
            read.map_err(|error| match error {
                NotRead::Failed(failed) => failed,
                NotRead::Beside(error) => not_beside(&format!("table `{name}`"), error),
            })?;
        }
        Ok(beside)
    }

    fn take_reference(
        &self,
        beside: &mut Beside,
        found: &Found,
        pinned: Option<Digest>,
    ) -> Result<(), Failed> {
        let bytes = match found {
            Found::Upload(sealed) => self.document(&private(sealed))?,
            Found::Kept(digest, content) => {
                let bytes = self.document(content)?;
                if sha256(&bytes) != *digest {
                    let why = "the bytes that are kept are not those of the digest that the ledger names";
                    return Err(Failed::conflict("reference", why));
                }
                bytes
            }
            Found::Version(version, chain) => {
                if pinned.is_some() {
                    let why = "it is a data set version, and the schema names the digest of a profile";
                    return Err(Failed::conflict("reference", why));
                }
                let of = Other { digest: chain.root, version: Some(version.to_string()) };
                beside.take_reference_version(self.profile_of(version, chain)?, of);
                return Ok(());
            }
        };
        beside.take_reference(&bytes, pinned).map_err(|error| not_beside("reference", error))
    }

    fn document(&self, content: &Private) -> Result<Vec<u8>, Failed> {
        let length = self.keys.unseal(self.blobs.as_ref(), &content.blob)?.len();
        if usize::try_from(length).map_or(true, |length| length > DOCUMENT_BYTES) {
            return Err(Failed::invalid(
                "reference",
                format!("a profile of more than {DOCUMENT_BYTES} bytes"),
            ));
        }
        Ok(read_private(&self.keys, self.blobs.as_ref(), content)?.0)
    }

    /// What all parts of a version hold together.
    fn profile_of(&self, version: &VersionRef, chain: &Chain) -> Result<Profile, Failed> {
        let invalid = |error: &dyn std::error::Error| Failed::invalid(format!("reference {version}"), error);
        let mut whole: Option<Profile> = None;
        for link in &chain.links {
            let (bytes, _) = read_private(&self.keys, self.blobs.as_ref(), &link.profile)?;
            let profile = Profile::from_bytes(&bytes).map_err(|error| invalid(&error))?;
            match &mut whole {
                Some(whole) => whole.merge(&profile).map_err(|error| invalid(&error))?,
                None => whole = Some(profile),
            }
        }
        whole.ok_or_else(|| Failed::not_found("data set version", version))
    }

    /// The parts of a version as tables, each with how its own schema says that CSV is written, and each opened when its
    /// turn comes: a version may have very many of them.
    fn parts_of(&self, chain: &Chain) -> impl Iterator<Item = Result<Part, NotRead>> {
        let mut written: Option<(&Private, CsvOptions)> = None;
        let parts =
            chain.links.iter().flat_map(|link| link.parts.iter().map(move |part| (&link.schema, part)));
        parts.map(move |(schema, part)| {
            let csv = match &written {
                Some((of, csv)) if *of == schema => csv.clone(),
                _ => {
                    let csv = Schema::parse(&self.schema_text(schema)?).map_err(Failed::from)?.csv_options();
                    written.insert((schema, csv)).1.clone()
                }
            };
            let unsealed = self.keys.unseal(self.blobs.as_ref(), &part.blob).map_err(Failed::from)?;
            Ok((super::checked::anywhere(unsealed), csv))
        })
    }
}

type Part = (Source<'static>, CsvOptions);

/// A version cannot be looked up in: its content is not there, or is no such table.
enum NotRead {
    Failed(Failed),
    Beside(NotBeside),
}

impl From<Failed> for NotRead {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<NotBeside> for NotRead {
    fn from(error: NotBeside) -> Self {
        Self::Beside(error)
    }
}

fn not_beside(what: &str, error: NotBeside) -> Failed {
    match error {
        NotBeside::NotAsked { ref asked, .. } => {
            let asked = asked.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let known = if asked.is_empty() { "in no table".to_owned() } else { format!("in: {asked}") };
            Failed::invalid(what, format!("{error}; it looks values up {known}"))
        }
        other => Failed::invalid(what, other),
    }
}
