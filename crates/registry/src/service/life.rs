//! How a registry begins, and how it is opened again.

use std::sync::{Arc, Mutex, RwLock};

use bartizan_base::{Blobs, Cas, Clock, PrincipalId, ProjectId, Timestamp, read_all};
use bartizan_keys::{KeyInfo, Keys, PublicKey, Purpose, dsse};
use bartizan_ledger::{Ledger, NoteSigner, Remembered};
use bartizan_policy::api_key::{self, ApiKey, IssuedKey, Scopes, Terms};
use bartizan_policy::{Action, Networks, PersonId, Policies, PrincipalKind, Role, Tier};
use bartizan_store::Db;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::api_keys::api_key_statement;
use super::uploads::Pending;
use super::write::{private, root_act};
use super::{Failed, Inner, Profile, Randomness, Registry};
use crate::index::Index;
use crate::limits::FOUNDER_KEY_MILLIS;
use crate::replay::{Replayed, replay_past};
use crate::state::{Coverage, State};
use crate::statement::{
    KeyStanding, KeyV1, PolicyV1, Predicate, PrincipalV1, ProjectV1, RoleChange, RoleV1, Standing, Statement,
};

/// What a registry stands on.
pub struct Stores {
    /// Encrypted content.
    pub blobs: Arc<dyn Blobs>,
    /// The ledger's tiles.
    pub ledger: Arc<dyn Blobs>,
    /// The ledger's head, and the largest checkpoint seen.
    pub heads: Arc<dyn Cas>,
    /// The project's keys.
    pub keys: Arc<Keys>,
    /// The SQL index.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub random: Randomness,
}

/// The first admin of a project.
#[derive(Debug)]
pub struct Founder {
    /// The principal.
    pub principal: PrincipalId,
    /// The API key; it is shown once and not kept.
    pub key: ApiKey,
}

/// Begins a project: an empty ledger, then the statements that everything else follows from.
///
/// # Errors
/// When there is a ledger already, or the storage fails.
pub async fn create(stores: Stores, founder: Profile) -> Result<(Registry, Founder), Failed> {
    let policies = Policies::builtin()?;
    let now = stores.clock.now();
    let signer = note_signer(&stores.keys)?;
    let mut random = (stores.random)();
    let mut id = [0; 16];
    random.fill_bytes(&mut id);
    let principal = PrincipalId::from_random(id);
    let terms = Terms {
        principal,
        person: PersonId::new(principal),
        scopes: everything()?,
        networks: anywhere()?,
        expires_at: now.plus_millis(FOUNDER_KEY_MILLIS),
    };
    let (key, issued) = api_key::issue(terms, random.as_mut(), now)?;
    let registry = {
        let ledger = Ledger::create(Arc::clone(&stores.ledger), Arc::clone(&stores.heads), signer)
            .map_err(Failed::Create)?;
        let remembered = Remembered::new(Arc::clone(&stores.heads), ledger.log().clone());
        remembered.begin(&ledger.checkpoint())?;
        let root = stores.keys.signing(Purpose::ProjectRoot).public().clone();
        assemble(stores, ledger, policies, (State::new(root, Coverage::Whole), None))
    };
    let profile = founder.to_bytes()?;
    let sealed = registry.blocking(move |inner| inner.seal_document(&profile, now)).await?;
    let first = first_statements(&registry, principal, private(&sealed), &issued, now);
    registry.begin(first).await?;
    Ok((registry, Founder { principal, key }))
}

/// What becomes of the SQL index when a project is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indexing {
    /// It is compared with the ledger, and brought up to its head.
    Compare,
    /// It is made anew, unless it has followed more entries than there are: it is the sign that the ledger was rolled
    /// back.
    Rebuild,
    /// It is made anew, also when that gives up the sign that the ledger was rolled back.
    RebuildSmaller,
}

/// Opens a project: folds its whole ledger, compares the SQL index with the fold, and brings the index up to
/// the ledger's head when a crash left it behind; or makes the index anew, as `indexing` says.
///
/// # Errors
/// When the ledger is damaged, rolled back or does not follow from the root key, or the index disagrees.
pub async fn open(stores: Stores, indexing: Indexing) -> Result<Registry, Failed> {
    let rebuild = indexing != Indexing::Compare;
    let policies = Policies::builtin()?;
    let index = Index::new(stores.db.clone());
    let followed = index.head().await?;
    let size = if rebuild { u64::MAX } else { followed.applied_size };
    let opened = tokio::task::spawn_blocking(move || {
        let signer = note_signer(&stores.keys)?;
        let ledger = Ledger::open(Arc::clone(&stores.ledger), Arc::clone(&stores.heads), signer)
            .map_err(Failed::Open)?;
        let snapshot = ledger.snapshot()?;
        Remembered::new(Arc::clone(&stores.heads), ledger.log().clone()).follow(&snapshot)?;
        let root = stores.keys.signing(Purpose::ProjectRoot).public().clone();
        let (replayed, past) = replay_past(&snapshot, &root, size)?;
        Ok::<_, Failed>((stores, ledger, replayed, past))
    });
    let (stores, ledger, replayed, past) = opened.await.map_err(|_| Failed::Interrupted)??;
    let checkpoint = replayed.checkpoint().clone();
    let registry = assemble(stores, ledger, policies, (replayed.state().clone(), Some(Arc::new(replayed))));
    let index = &registry.inner.index;
    let state = registry.state();
    let ahead = followed.applied_size > checkpoint.size();
    if ahead && indexing != Indexing::RebuildSmaller {
        let (index, ledger) = (followed.applied_size, checkpoint.size());
        return Err(crate::index::IndexFailed::Ahead { index, ledger }.into());
    }
    if rebuild {
        if ahead {
            tracing::warn!(
                followed_entries = followed.applied_size,
                ledger_entries = checkpoint.size(),
                "a ledger is accepted that is smaller than the index has followed: entries were there that are lost, and \
                 nothing here shows it from now on"
            );
        }
        index.rebuild(&state, &checkpoint).await?;
    } else {
        let then = past.as_ref().unwrap_or(&state);
        let root = registry.snapshot()?.root(followed.applied_size)?;
        let head =
            bartizan_store::index::Head { applied_size: followed.applied_size, applied_root: root.to_hex() };
        index.compare(then, head).await?;
        index.follow(&state, &checkpoint).await?;
    }
    registry.adopt_grants().await?;
    registry.adopt_policy().await?;
    registry.end_interrupted().await?;
    Ok(registry)
}

fn assemble(
    stores: Stores,
    ledger: Ledger,
    policies: Policies,
    (state, replayed): (State, Option<Arc<Replayed>>),
) -> Registry {
    Registry {
        inner: Arc::new(Inner {
            ledger,
            keys: stores.keys,
            blobs: stores.blobs,
            index: Index::new(stores.db),
            clock: stores.clock,
            random: stores.random,
            policies,
            state: RwLock::new(Arc::new(state)),
            writer: Arc::new(tokio::sync::Mutex::new(())),
            waiting: super::together::Waiting::default(),
            judged: super::judged::Kept::default(),
            lineage: super::lineage::Kept::default(),
            replayed: Mutex::new(replayed),
            uploads: Mutex::new(Pending::default()),
            held: Mutex::default(),
        }),
    }
}

/// The origin line of a project's ledger.
pub fn ledger_origin(project: ProjectId) -> String {
    format!("bartizan.dev/{project}")
}

/// The origin and key under which a ledger's checkpoints are signed, as its own first entries say. It serves to
/// check whether a log is whole; whoever wants to trust it takes the key from a trust file.
///
/// # Errors
/// When the first entries cannot be read or grant no such key.
pub fn ledger_key(ledger: &dyn Blobs) -> Result<(String, PublicKey), Failed> {
    let damaged = || Failed::not_found("ledger key", "in the first entries");
    let names = ledger.list("tile/entries/000", None, 512).map_err(|_| damaged())?;
    let name = names.last().ok_or_else(damaged)?;
    let bundle = read_all(ledger, name, 256 * 65_537).map_err(|_| damaged())?;
    let mut origin = None;
    let mut rest = bundle.as_slice();
    while let Some((length, tail)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, tail) = tail.split_at_checked(length).ok_or_else(damaged)?;
        rest = tail;
        let Ok(envelope) = dsse::Envelope::parse(entry) else { continue };
        match Statement::parse(envelope.payload()).map(|statement| statement.predicate) {
            Ok(Predicate::Project(body)) => origin = Some(body.origin),
            Ok(Predicate::Key(body)) if body.purpose == Purpose::LedgerOrigin => {
                let der = STANDARD.decode(&body.public_key).map_err(|_| damaged())?;
                let public = PublicKey::from_spki_der(&der).map_err(|_| damaged())?;
                return Ok((origin.ok_or_else(damaged)?, public));
            }
            _ => {}
        }
    }
    Err(damaged())
}

fn note_signer(keys: &Arc<Keys>) -> Result<NoteSigner, Failed> {
    let origin = ledger_origin(keys.project());
    let public = keys.signing(Purpose::LedgerOrigin).public().clone();
    let keys = Arc::clone(keys);
    NoteSigner::with(&origin, &public, move |message| {
        Ok(keys.signing(Purpose::LedgerOrigin).sign(message)?)
    })
    .map_err(|error| Failed::invalid(format!("origin `{origin}`"), error))
}

impl Registry {
    /// Grants the project's keys the predicate types that this version of the program signs with them.
    async fn adopt_grants(&self) -> Result<(), Failed> {
        let state = self.state();
        let outdated = |info: &&KeyInfo| {
            let wanted = granted_types(info.purpose);
            state.keys().get(&info.id).is_some_and(|granted| {
                granted.standing == KeyStanding::Active
                    && wanted.iter().any(|wanted| !granted.predicate_types.contains(wanted))
            })
        };
        let keys: Vec<KeyInfo> = self.inner.keys.list().iter().filter(outdated).cloned().collect();
        if keys.is_empty() {
            return Ok(());
        }
        tracing::warn!(keys = keys.len(), "keys of the project are granted new types of statements");
        let writer = self.writer().await?;
        let statements = keys.iter().map(|info| Statement::about(grant(info, writer.now()))).collect();
        writer.append(statements).await.map(|_| ())
    }

    /// Puts the policy of this program in force, where the ledger knows another one: decisions are taken under a
    /// policy that the ledger names, and approvals under the former one lapse.
    async fn adopt_policy(&self) -> Result<(), Failed> {
        let policy = self.inner.policies.digest();
        if self.state().policy() == Some(policy) {
            return Ok(());
        }
        tracing::warn!(%policy, "the access policy of this program is put in force; approvals under the former one lapse");
        let writer = self.writer().await?;
        let (previous, at) = (writer.state().policies().last().map(|(entry, _)| *entry), writer.now());
        writer.append(vec![Statement::about(PolicyV1 { policy, previous, at })]).await.map(|_| ())
    }

    /// Appends the first statements, which the project root signs.
    async fn begin(&self, statements: Vec<Statement>) -> Result<(), Failed> {
        let (state, checkpoint) = self
            .blocking(move |inner| {
                let root = inner.keys.signing(Purpose::ProjectRoot).public().clone();
                let mut state = State::new(root, Coverage::Whole);
                let mut entries = Vec::new();
                for statement in &statements {
                    let envelope = inner.sign(statement, Purpose::ProjectRoot)?;
                    state.admit(state.next_index(), &envelope)?;
                    entries.push(envelope);
                }
                let appended = inner.ledger.append_if(0, entries)?;
                Ok((state, appended.checkpoint))
            })
            .await?;
        self.inner.index.follow(&state, &checkpoint).await?;
        *self.inner.state.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(state);
        Ok(())
    }
}

/// The statement that a key may sign what its purpose is.
fn grant(info: &KeyInfo, at: Timestamp) -> KeyV1 {
    KeyV1 {
        key: info.id,
        public_key: STANDARD.encode(info.public.spki_der()),
        algorithm: info.algorithm,
        purpose: info.purpose,
        predicate_types: granted_types(info.purpose),
        standing: KeyStanding::Active,
        at,
    }
}

/// The statements of a project's beginning, all signed by its root key.
fn first_statements(
    registry: &Registry,
    founder: PrincipalId,
    profile: crate::statement::Private,
    issued: &IssuedKey,
    at: Timestamp,
) -> Vec<Statement> {
    let keys = &registry.inner.keys;
    let mut first = vec![Statement::about(ProjectV1 {
        project: keys.project(),
        root_key: keys.signing(Purpose::ProjectRoot).public().id(),
        origin: ledger_origin(keys.project()),
        tier: Tier::Explore,
        development: keys.development(),
        at,
    })];
    let granted = keys.list().iter().filter(|info| info.purpose != Purpose::ProjectRoot);
    first.extend(granted.map(|info| Statement::about(grant(info, at))));
    first.push(Statement::about(PolicyV1 { policy: registry.inner.policies.digest(), previous: None, at }));
    let act = root_act(founder, at);
    first.push(Statement::about(PrincipalV1 {
        principal: founder,
        kind: PrincipalKind::Person,
        responsible: None,
        profile,
        standing: Standing::Active,
        act: act.clone(),
    }));
    first.push(Statement::about(RoleV1 {
        principal: founder,
        role: Role::Admin,
        change: RoleChange::Granted,
        confirmed: None,
        act: act.clone(),
    }));
    first.push(Statement::about(api_key_statement(issued, Standing::Active, None, act)));
    first
}

/// The predicate types that keys of a purpose may sign.
fn granted_types(purpose: Purpose) -> Vec<String> {
    let signs = |predicate_type: &&&str| Predicate::purpose_of_type(predicate_type) == Some(purpose);
    let types = Predicate::TYPES.iter().filter(signs).map(|found| (*found).to_owned());
    match purpose {
        Purpose::ModelSigning => vec!["https://model_signing/signature/v1.0".to_owned()],
        Purpose::LedgerOrigin => Vec::new(),
        _ => types.collect(),
    }
}

fn everything() -> Result<Scopes, Failed> {
    Scopes::new(Action::ALL.iter().copied()).map_err(|error| Failed::invalid("scopes", error))
}

fn anywhere() -> Result<Networks, Failed> {
    "0.0.0.0/0, ::/0".parse().map_err(|error| Failed::invalid("networks", error))
}
