//! `init`, `up`, `demo`, `keys`, `explain`.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bartizan_base::Name;
use bartizan_keys::{OsRandom, Passphrase, Secret};
use bartizan_policy::Tier;
use bartizan_registry::{Indexing, Profile};
use bartizan_store::{ApiAt, LockInfo, LockSecret};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Work;
use crate::api::{self, App};
use crate::boot;
use crate::catalog::{self, CATALOG, ids};
use crate::cli::Keys;
use crate::client::os_user;
use crate::config::Configuration;
use crate::demo::{DemoFailed, DemoOptions};
use crate::failure::Failure;
use crate::inference::Gateway;

pub(super) async fn init(work: &Work, admin: &str) -> Result<u8, Failure> {
    let founder = Profile { name: admin.to_owned(), local_user: Some(os_user()), email: None };
    let path = &work.configuration.data_dir;
    let made = boot::init(path, work.passphrase()?, founder).await?;
    let revealed = made.founder.key.reveal();
    work.answer(&json!({
        "dataDir": path.display().to_string(),
        "project": made.project,
        "rootKey": made.root_key,
        "developmentKeys": made.development,
        "admin": made.founder.principal,
        "key": revealed.as_str(),
    }))
}

pub(super) async fn up(work: &Work) -> Result<u8, Failure> {
    let Configuration { data_dir, listen, inference, .. } = &work.configuration;
    serve(data_dir, (*listen, *inference), work.passphrase()?, |address, inference| {
        tracing::info!(%address, "listening; the console is at http://{address}/");
        tracing::info!(%inference, "predictions are answered at http://{inference}/v2");
    })
    .await
}

/// Serves a data directory until somebody asks this process to end. `told` hears where, as soon as it listens.
async fn serve(
    path: &Path,
    at: (SocketAddr, SocketAddr),
    passphrase: Option<Passphrase>,
    told_where: impl FnOnce(SocketAddr, SocketAddr),
) -> Result<u8, Failure> {
    let path = path.to_owned();
    let opened = boot::open(&path, "up", passphrase, Indexing::Compare).await?;
    let tier = opened.registry.state().tier();
    let (listener, address) = bind(at.0, tier).await?;
    let (asked, inference) = bind(at.1, tier).await?;
    let gateway = Gateway::open(opened.registry.clone(), &path)?;
    let kind: Name = "up".parse().map_err(|error| Failure::of(ids::INTERNAL, &error))?;
    let secret = Secret::generate(&mut OsRandom);
    let told = ApiAt { address, secret: Some(LockSecret::from_bytes(*secret.expose())) };
    let info = LockInfo { pid: std::process::id(), kind, api: Some(told) };
    opened.lock.announce(&info).map_err(|error| Failure::of(ids::STORAGE, &error))?;
    let app = App::new(opened.registry.clone(), path, Some(secret), Some(Arc::clone(&gateway)));
    told_where(address, inference);
    let (over, ended) = watch::channel(false);
    let end = async {
        end().await;
        over.send_replace(true);
        // Before the listener closes: whoever takes the address next is not to be found in our lock file.
        if let Err(error) = opened.lock.announce(&LockInfo { api: None, ..info }) {
            tracing::warn!(%error, "our address is still in the lock file");
        }
    };
    let ended =
        tokio::join!(api::serve(listener, &app, api::router(&app), end), gateway.serve(asked, &app, ended),);
    tracing::info!("stopped");
    if ended != (api::Ended::Whole, api::Ended::Whole) {
        // What was cut off may still write: nobody else gets the directory before this process is gone.
        Box::leak(Box::new(opened.lock));
    }
    Ok(0)
}

/// Listens; a project whose approvals prove little does so for its own machine only.
async fn bind(at: SocketAddr, tier: Tier) -> Result<(TcpListener, SocketAddr), Failure> {
    if tier == Tier::Explore && !at.ip().is_loopback() {
        let what = format!("a project in tier explore answers only on its own machine, not on {at}");
        return Err(Failure::new(ids::CONFIGURATION, what).then("bartizan access tier release"));
    }
    let configured = |error: std::io::Error| {
        let mut failure = Failure::new(ids::CONFIGURATION, format!("nothing can listen on {at}"));
        let taken = error.kind() == std::io::ErrorKind::AddrInUse;
        failure.why.push(std::io::Error::to_string(&error));
        match taken {
            true => failure.then("end whoever listens there, or name other addresses: `bartizan up --help`"),
            false => failure,
        }
    };
    let listener = TcpListener::bind(at).await.map_err(configured)?;
    let address = listener.local_addr().map_err(configured)?;
    Ok((listener, address))
}

/// Waits until somebody asks this process to end.
async fn end() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => {
            if interrupted.is_err() {
                tracing::warn!("interrupts cannot be caught");
            }
        }
    }
}

/// Tries to connect, as the demo's thief does.
pub(super) fn dial(address: SocketAddr) -> Result<u8, Failure> {
    let dialled = std::net::TcpStream::connect_timeout(&address, std::time::Duration::from_secs(2));
    dialled.map(|_| 0).map_err(|error| Failure::of(ids::UNREACHABLE, &error))
}

pub(super) async fn demo(work: &Work, options: DemoOptions) -> Result<u8, Failure> {
    let played = tokio::task::spawn_blocking(move || crate::demo::run(&options, &mut std::io::stdout()));
    let played = played.await.map_err(|error| Failure::of(ids::INTERNAL, &error))?;
    let left = played.map_err(|failed| {
        let (mut failure, error) = match failed {
            DemoFailed::Isolation(failure) => return failure,
            DemoFailed::Input(error) => {
                let failure = Failure::new(ids::USAGE, "the demo cannot be played with this input");
                (failure.then("bartizan demo --help"), error)
            }
            DemoFailed::Step(error) => {
                (Failure::new(ids::INTERNAL, "a step of the demo does not hold"), error)
            }
        };
        failure.why = error.chain().map(ToString::to_string).collect();
        failure
    })?;
    let Some(left) = left else { return Ok(0) };
    let Configuration { listen, inference, .. } = &work.configuration;
    let at = (free(*listen), free(*inference));
    let data_dir = left.data_dir.clone();
    serve(&data_dir, at, None, |console, inference| left.goes_on(console, inference)).await
}

/// The address, or another one of this machine when somebody else has it.
fn free(at: SocketAddr) -> SocketAddr {
    let taken = std::net::TcpListener::bind(at).is_err();
    if taken { SocketAddr::from(([127, 0, 0, 1], 0)) } else { at }
}

pub(super) async fn keys(work: &Work, verb: Keys) -> Result<u8, Failure> {
    match verb {
        Keys::List => work.show("/api/v1/keys").await,
        Keys::Export { out } => {
            let bytes = work.client().await?.bytes("/api/v1/trust").await?;
            work.deliver(out.as_deref(), &bytes)
        }
    }
}

pub(super) fn explain(work: &Work, id: Option<&str>) -> Result<u8, Failure> {
    let Some(id) = id else {
        let all: Vec<_> =
            CATALOG.iter().map(|entry| json!({ "id": entry.id, "title": entry.title })).collect();
        return work.answer(&all.into());
    };
    let entry = catalog::find(id).ok_or_else(|| {
        let shown: String = id.chars().take(40).collect();
        Failure::new(ids::NOT_FOUND, format!("there is no error id `{shown}`")).then("bartizan explain")
    })?;
    work.answer(
        &json!({ "id": entry.id, "title": entry.title, "meaning": entry.meaning, "next": entry.next }),
    )
}
