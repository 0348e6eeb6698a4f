//! Sessions of the console: in memory, short, and never a credential for the API.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
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
/// Sessions of one key, so that nobody drives the others out.
const SESSIONS_OF_A_KEY: usize = 16;

/// The open sessions.
#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<BTreeMap<String, Session>>,
    opened: AtomicU64,
}

struct Session {
    /// Which of all that were opened: two may be opened, and seen last, in the same millisecond.
    number: u64,
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
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let mut sessions = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut sessions, SESSIONS_OF_A_KEY, |session| session.key.id() == key.id());
        make_room(&mut sessions, SESSIONS, |_| true);
        sessions.insert(id.clone(), Session { number, key, from, begun: now, seen: now });
        format!("{COOKIE}={id}; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age={}", LIFE_MILLIS / 1000)
    }

    /// Whether the session that a cookie names is still open. Asking does not keep it so.
    pub(super) fn lasts(&self, headers: &HeaderMap, from: IpAddr) -> bool {
        let now = SystemClock.now();
        let sessions = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let session = id_in(headers).and_then(|id| sessions.get(id));
        session.is_some_and(|session| !session.is_over(now, from))
    }

    /// Who a request's cookie stands for.
    pub(super) fn caller(&self, headers: &HeaderMap, from: IpAddr) -> Option<Caller> {
        let id = id_in(headers)?;
        let now = SystemClock.now();
        let mut sessions = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get_mut(id)?;
        if session.is_over(now, from) {
            sessions.remove(id);
            return None;
        }
        session.seen = now;
        Some(Caller::key(Arc::clone(&session.key)))
    }

    /// Ends the session that a request's cookie names, and returns the cookie that makes browsers forget it.
    pub(super) fn close(&self, headers: &HeaderMap) -> String {
        if let Some(id) = id_in(headers) {
            self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        }
        format!("{COOKIE}=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0")
    }
}

impl Session {
    fn is_over(&self, now: Timestamp, from: IpAddr) -> bool {
        now.millis() - self.seen.millis() > IDLE_MILLIS
            || now.millis() - self.begun.millis() > LIFE_MILLIS
            || now < self.begun
            || from != self.from
    }
}

fn id_in(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Ends the oldest of some sessions until one more fits.
fn make_room(sessions: &mut BTreeMap<String, Session>, most: usize, of: impl Fn(&Session) -> bool) {
    loop {
        let (mut count, mut oldest) = (0, None);
        for (id, session) in sessions.iter().filter(|(_, session)| of(session)) {
            count += 1;
            let seen = (session.seen, session.number);
            if oldest.is_none_or(|(_, oldest)| seen < oldest) {
                oldest = Some((id, seen));
            }
        }
        let Some(oldest) = oldest.filter(|_| count >= most).map(|(id, _)| id.clone()) else { return };
        sessions.remove(&oldest);
    }
}
