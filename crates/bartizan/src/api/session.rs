//! Sessions of the console: in memory, short, and never a credential for the API.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, header};
use bartizan_base::{Clock, Timestamp};
use bartizan_keys::OsRandom;
use bartizan_policy::api_key::Admitted;
use bartizan_registry::Caller;
use bartizan_store::SystemClock;
use rand_core::Rng as _;

/// The cookie's name; the prefix makes browsers insist on Secure, Path=/ and no Domain.
const COOKIE: &str = "__Host-bartizan";
/// Half an hour without a request ends a session.
const IDLE_MILLIS: i64 = 30 * 60 * 1000;
/// Twelve hours end it in any case.
const LIFE_MILLIS: i64 = 12 * 60 * 60 * 1000;
/// Sessions at one time; the oldest makes room.
const SESSIONS: usize = 1000;

/// The open sessions.
#[derive(Default)]
pub(super) struct Sessions(Mutex<BTreeMap<String, Session>>);

struct Session {
    key: Arc<Admitted>,
    from: IpAddr,
    begun: Timestamp,
    seen: Timestamp,
}

impl Sessions {
    /// Opens a session for a key that was admitted from an address, and returns the cookie that names it. The
    /// session may do what the key may, and ends with it.
    pub(super) fn open(&self, key: Arc<Admitted>, from: IpAddr) -> String {
        let mut random = [0; 32];
        OsRandom.fill_bytes(&mut random);
        let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = SystemClock.now();
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while sessions.len() >= SESSIONS {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.seen).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { break };
            sessions.remove(&oldest);
        }
        sessions.insert(id.clone(), Session { key, from, begun: now, seen: now });
        format!("{COOKIE}={id}; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age={}", LIFE_MILLIS / 1000)
    }

    /// Who a request's cookie stands for.
    pub(super) fn caller(&self, headers: &HeaderMap, from: IpAddr) -> Option<Caller> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let id = cookies
            .flat_map(|value| value.split(';'))
            .find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
        let now = SystemClock.now();
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get_mut(id)?;
        let over = now.millis() - session.seen.millis() > IDLE_MILLIS
            || now.millis() - session.begun.millis() > LIFE_MILLIS
            || now < session.begun
            || from != session.from;
        if over {
            sessions.remove(id);
            return None;
        }
        session.seen = now;
        Some(Caller::key(Arc::clone(&session.key)))
    }
}
