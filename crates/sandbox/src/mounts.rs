//! What of this machine a job may read: system libraries, its virtual environment, and what the plan names.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::plan::{Plan, PlanInvalid, mountable, plain};
use crate::venv::Venv;
use crate::wire::Bind;

/// Where systems keep programs and libraries; those that exist are mounted, links are made again as links.
pub(crate) const SYSTEM: [&str; 13] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
];

/// What is mounted, and the links at the root.
#[derive(Debug, Default)]
pub(crate) struct Mounts {
    pub(crate) binds: Vec<Bind>,
    pub(crate) links: Vec<(String, String)>,
    /// The virtual environment.
    pub(crate) venv: Option<Venv>,
    /// What it consists of outside of the system's own directories, by canonical path: itself, then what it rests on.
    pub(crate) installed: Vec<PathBuf>,
    private: Private,
}

/// A path that is to be mounted is not there, or not in UTF-8.
#[derive(Debug, thiserror::Error)]
pub enum MountsUnusable {
    /// A path that the plan names.
    #[error("`{}` cannot be mounted", path.display())]
    Path {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The plan's path lies where the sandbox has its own.
    #[error("the mounts of the plan")]
    Plan(#[source] PlanInvalid),
    /// Something that is to be mounted would show what no job may see.
    #[error("too much would be mounted")]
    Exposed(#[source] Exposed),
}

/// A path that would show what no job may see.
#[derive(Debug, thiserror::Error)]
pub enum Exposed {
    /// It is such a directory, holds it, or lies in it.
    #[error("`{}` is, holds or lies in `{}`, which no job may see", path.display(), private.display())]
    Private {
        /// The path, with its links resolved.
        path: PathBuf,
        /// What no job may see.
        private: PathBuf,
    },
    /// It cannot be told whether it is.
    #[error("whether `{}` shows what no job may see cannot be told", path.display())]
    Unknown {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Refuses a path that is one of the `private` directories, holds one, or lies in one, by whatever name.
///
/// # Errors
/// Then, and when it cannot be told.
pub fn exposes_none(path: &Path, private: &[PathBuf]) -> Result<(), Exposed> {
    Private::of(private)?.check(path)
}

/// Directories that no job may see, by canonical path and by device and inode: a second mount has another path.
#[derive(Debug, Default)]
pub(crate) struct Private(Vec<(PathBuf, (u64, u64))>);

impl Private {
    pub(crate) fn of(paths: &[PathBuf]) -> Result<Self, Exposed> {
        let one = |path: &PathBuf| {
            let unknown = |source| Exposed::Unknown { path: path.clone(), source };
            let path = fs::canonicalize(path).map_err(unknown)?;
            let node = node(&path).map_err(unknown)?;
            Ok((path, node))
        };
        paths.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// Refuses a path that is one of them, holds one, or lies in one.
    pub(crate) fn check(&self, path: &Path) -> Result<(), Exposed> {
        if self.0.is_empty() {
            return Ok(());
        }
        let unknown = |source| Exposed::Unknown { path: path.to_owned(), source };
        let path = fs::canonicalize(path).map_err(unknown)?;
        let own = node(&path).map_err(unknown)?;
        let above: Vec<(u64, u64)> =
            path.ancestors().map(node).collect::<io::Result<_>>().map_err(unknown)?;
        for (private, theirs) in &self.0 {
            let mut shown = path.starts_with(private) || private.starts_with(&path) || above.contains(theirs);
            for holder in private.ancestors() {
                shown |= node(holder).map_err(unknown)? == own;
            }
            if shown {
                return Err(Exposed::Private { path, private: private.clone() });
            }
        }
        Ok(())
    }
}

/// Device and inode of what is at a path.
fn node(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

impl Mounts {
    /// Gathers what the plan's job needs.
    pub(crate) fn gather(plan: &Plan) -> Result<Self, MountsUnusable> {
        let private = Private::of(&plan.private).map_err(MountsUnusable::Exposed)?;
        let mut mounts = Self { private, ..Self::default() };
        for path in SYSTEM.map(Path::new) {
            match fs::symlink_metadata(path) {
                Ok(found) if found.is_symlink() => mounts.link(path),
                Ok(_) => drop(mounts.add(path)?),
                Err(_) => {}
            }
        }
        let own = || plan.command.first().and_then(|program| Venv::of(Path::new(program)));
        if let Some(venv) = plan.venv.clone().or_else(own) {
            for path in venv.paths() {
                plain(&path).and_then(|()| mountable(&path)).map_err(MountsUnusable::Plan)?;
                let (source, mounted) = mounts.add(&path)?;
                if (mounted || path == venv.root()) && !mounts.installed.contains(&source) {
                    mounts.installed.push(source);
                }
            }
            mounts.venv = Some(venv);
        }
        let mut named = plan.read_only.clone();
        // Parents first, so that what lies below them is seen to be there already.
        named.sort();
        for path in named {
            mounts.add(&path)?;
        }
        Ok(mounts)
    }

    fn link(&mut self, path: &Path) {
        if let (Some(place), Ok(target)) = (path.to_str(), fs::read_link(path))
            && let Some(target) = target.to_str()
        {
            self.links.push((place.to_owned(), target.to_owned()));
        }
    }

    /// Mounts a path under its own name, unless it already is there as part of another. Returns where it really is, and
    /// whether it was not there.
    fn add(&mut self, path: &Path) -> Result<(PathBuf, bool), MountsUnusable> {
        let unusable = |source| MountsUnusable::Path { path: path.to_owned(), source };
        let source = fs::canonicalize(path).map_err(unusable)?;
        self.private.check(&source).map_err(MountsUnusable::Exposed)?;
        let place = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
        let place =
            place.zip(path.file_name()).map_or_else(|| path.to_owned(), |(parent, name)| parent.join(name));
        let there = |inside: &Path| self.binds.iter().any(|bind| inside.starts_with(&bind.target));
        if there(path) || (there(&place) && there(&source)) {
            return Ok((source, false));
        }
        if !SYSTEM.iter().any(|system| path == Path::new(system)) {
            mountable(&source).map_err(MountsUnusable::Plan)?;
        }
        let node = node(&source).map_err(unusable)?;
        let not_text = || unusable(io::ErrorKind::InvalidFilename.into());
        let (Some(text), Some(target)) = (source.to_str(), path.to_str()) else { return Err(not_text()) };
        self.binds.push(Bind { source: text.to_owned(), target: target.to_owned(), node, input: false });
        Ok((source, true))
    }
}
