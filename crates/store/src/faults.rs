//! Wrappers that let chosen calls of a `Blobs` or `Cas` fail; for the tests of whoever uses one.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bartizan_base::{BlobError, BlobName, BlobReader, BlobWriter, Blobs, Cas, CasError};

/// What a failing call did before it failed. All are allowed by the contracts of `Blobs` and `Cas`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing.
    Before,
    /// The first half of a batch, rounded up; for a single item this is [`Moment::After`].
    Halfway,
    /// Everything, and then the answer was lost.
    After,
}

/// The plan of failures that wrappers follow. Clones are the same plan, so that several wrappers count together.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<FaultState>>);

#[derive(Debug, Default)]
struct FaultState {
    calls: u64,
    plan: Option<FaultPlan>,
}

#[derive(Debug, Clone, Copy)]
struct FaultPlan {
    call: u64,
    moment: Moment,
    kind: io::ErrorKind,
}

impl Faults {
    /// A plan without failures; it counts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets call number `call` (the first is 1), and only that one, fail with an error of `kind`.
    pub fn fail_at(&self, call: u64, moment: Moment, kind: io::ErrorKind) {
        self.state().plan = Some(FaultPlan { call, moment, kind });
    }

    /// How many calls were made. `create` and the `commit` of its writer are one each; `len` and writes are none.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    fn count(&self) -> Option<FaultPlan> {
        let mut state = self.state();
        state.calls += 1;
        state.plan.filter(|plan| plan.call == state.calls)
    }

    fn state(&self) -> MutexGuard<'_, FaultState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one call that is a single item.
    fn around<T, E: From<BlobError>>(
        &self,
        action: &'static str,
        name: &str,
        call: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        match self.count() {
            None => call(),
            Some(plan) => {
                if plan.moment != Moment::Before {
                    call()?;
                }
                Err(plan.error(action, name).into())
            }
        }
    }
}

impl FaultPlan {
    fn error(self, action: &'static str, name: &str) -> BlobError {
        BlobError::new(action, name, io::Error::new(self.kind, "made to fail by a test"))
    }
}

/// Blobs of which chosen calls fail.
#[derive(Debug, Clone)]
pub struct FailingBlobs<B> {
    inner: B,
    faults: Faults,
}

impl<B: Blobs> FailingBlobs<B> {
    /// Lets `inner` fail as planned.
    pub fn new(inner: B, faults: Faults) -> Self {
        Self { inner, faults }
    }
}

impl<B: Blobs> Blobs for FailingBlobs<B> {
    fn put(&self, blobs: &[(&BlobName, &[u8])]) -> Result<(), BlobError> {
        let Some(plan) = self.faults.count() else { return self.inner.put(blobs) };
        let done = match plan.moment {
            Moment::Before => 0,
            Moment::Halfway => blobs.len().div_ceil(2),
            Moment::After => blobs.len(),
        };
        self.inner.put(blobs.get(..done).unwrap_or_default())?;
        let name = blobs.last().map_or("", |(name, _)| name.as_str());
        Err(plan.error("write", name))
    }

    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError> {
        let inner = self.faults.around("write", "(not named yet)", || self.inner.create())?;
        Ok(Box::new(FailingWriter { inner, faults: self.faults.clone() }))
    }

    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError> {
        let inner = self.faults.around("read", name.as_str(), || self.inner.open(name))?;
        Ok(Box::new(FailingReader { inner, name: name.clone(), faults: self.faults.clone() }))
    }

    fn list(&self, prefix: &str, after: Option<&BlobName>, limit: usize) -> Result<Vec<BlobName>, BlobError> {
        self.faults.around("list", prefix, || self.inner.list(prefix, after, limit))
    }

    fn delete(&self, name: &BlobName) -> Result<bool, BlobError> {
        self.faults.around("delete", name.as_str(), || self.inner.delete(name))
    }
}

struct FailingWriter {
    inner: Box<dyn BlobWriter>,
    faults: Faults,
}

impl io::Write for FailingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl BlobWriter for FailingWriter {
    fn commit(self: Box<Self>, name: &BlobName) -> Result<(), BlobError> {
        let Self { inner, faults } = *self;
        faults.around("write", name.as_str(), || inner.commit(name))
    }
}

struct FailingReader {
    inner: Box<dyn BlobReader>,
    name: BlobName,
    faults: Faults,
}

impl BlobReader for FailingReader {
    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), BlobError> {
        self.faults.around("read", self.name.as_str(), || self.inner.read_exact_at(offset, buf))
    }
}

/// Compare-and-swap values of which chosen calls fail.
#[derive(Debug, Clone)]
pub struct FailingCas<C> {
    inner: C,
    faults: Faults,
}

impl<C: Cas> FailingCas<C> {
    /// Lets `inner` fail as planned.
    pub fn new(inner: C, faults: Faults) -> Self {
        Self { inner, faults }
    }
}

impl<C: Cas> Cas for FailingCas<C> {
    fn load(&self, key: &BlobName) -> Result<Option<Vec<u8>>, BlobError> {
        self.faults.around("read", key.as_str(), || self.inner.load(key))
    }

    fn swap(&self, key: &BlobName, expected: Option<&[u8]>, new: &[u8]) -> Result<(), CasError> {
        self.faults.around("write", key.as_str(), || self.inner.swap(key, expected, new))
    }
}
