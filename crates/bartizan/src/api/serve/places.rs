//! Who is connected: few strangers, of whom the oldest makes room, and more whose credential was accepted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Connections that have shown no accepted credential.
const STRANGERS: usize = 128;
/// Connections that have.
const KNOWN: usize = 384;

/// All places.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    strangers: BTreeMap<u64, Arc<Notify>>,
    known: usize,
}

/// The place of one connection; it is free again when the connection is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    number: u64,
    known: AtomicBool,
    wanted: Arc<Notify>,
    all: Arc<Places>,
}

impl Places {
    /// A place for somebody new, if need be that of the stranger who has been here for longest.
    pub(super) fn admit(self: &Arc<Self>) -> Arc<Place> {
        let mut taken = self.taken();
        while taken.strangers.len() >= STRANGERS {
            let Some((_, oldest)) = taken.strangers.pop_first() else { break };
            oldest.notify_one();
        }
        let number = taken.next;
        taken.next += 1;
        let wanted = Arc::new(Notify::new());
        taken.strangers.insert(number, Arc::clone(&wanted));
        Arc::new(Place { number, known: AtomicBool::new(false), wanted, all: Arc::clone(self) })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// A credential was accepted: from now on nobody takes the place away. While there are too many known ones, it
    /// stays that of a stranger.
    pub(crate) fn recognise(&self) {
        if self.is_known() {
            return;
        }
        let mut taken = self.all.taken();
        if taken.known < KNOWN && taken.strangers.remove(&self.number).is_some() {
            taken.known += 1;
            self.known.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// Waits until the place is needed for somebody else.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.all.taken();
        if *self.known.get_mut() {
            taken.known -= 1;
        } else {
            taken.strangers.remove(&self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{KNOWN, Place, Places, STRANGERS};

    fn counts(places: &Places) -> (usize, usize) {
        let taken = places.taken();
        (taken.strangers.len(), taken.known)
    }

    #[tokio::test]
    async fn the_oldest_stranger_makes_room_and_the_known_never() {
        let places = Arc::new(Places::default());
        let known: Vec<Arc<Place>> = (0..KNOWN)
            .map(|_| {
                let place = places.admit();
                place.recognise();
                place.recognise();
                place
            })
            .collect();
        assert_eq!(counts(&places), (0, KNOWN));
        let strangers: Vec<Arc<Place>> = (0..STRANGERS).map(|_| places.admit()).collect();
        let more = places.admit();
        strangers[0].wanted().await;
        assert_eq!(counts(&places), (STRANGERS, KNOWN));

        // No room among the known, and no place left to become known with.
        more.recognise();
        strangers[0].recognise();
        assert!(!more.is_known() && !strangers[0].is_known());
        drop(known);
        more.recognise();
        strangers[0].recognise();
        assert!(more.is_known() && !strangers[0].is_known());
        assert_eq!(counts(&places), (STRANGERS - 1, 1));
        drop((more, strangers));
        assert_eq!(counts(&places), (0, 0));
    }
}
