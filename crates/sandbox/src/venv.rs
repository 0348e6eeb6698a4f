//! Python virtual environments: what is one, what it rests on, which packages it holds.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use crate::limits::{PACKAGES, VENV_CONFIG_BYTES};
use crate::mounts::{Exposed, Mounts, Private, SYSTEM};
use crate::report::{Environment, Installed};
use crate::tree::{self, Bounds, Taken, TreeRefused};

/// A Python virtual environment (PEP 405), and the installation that it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Venv {
    root: PathBuf,
    /// `home` of `pyvenv.cfg`: where the base interpreter is.
    home: Option<PathBuf>,
}

/// A directory that is not taken for a virtual environment. The caller's fault.
#[derive(Debug, thiserror::Error)]
pub enum VenvRefused {
    /// It is not there, or cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It has no `pyvenv.cfg`.
    #[error("`{}` is no Python virtual environment: it has no pyvenv.cfg", path.display())]
    NoConfig {
        /// Which.
        path: PathBuf,
    },
    /// It is, or lies above, something that is no part of an environment.
    #[error("`{}` is no environment of its own: it holds `{}`", path.display(), holds.display())]
    Broad {
        /// Which.
        path: PathBuf,
        /// The system's directory, or the home directory, that it is or lies above.
        holds: PathBuf,
    },
    /// It, or the installation that it rests on, would show what no job may see.
    #[error("the environment shows too much")]
    Exposed(#[source] Exposed),
}

impl Venv {
    /// The environment at a directory, unless that, or what it rests on, would show one of the `private` directories.
    ///
    /// # Errors
    /// When it is none, is far more than one, or shows what no job may see.
    pub fn open(path: &Path, private: &[PathBuf]) -> Result<Self, VenvRefused> {
        let unreadable = |source| VenvRefused::Unreadable { path: path.to_owned(), source };
        let mut root = std::path::absolute(path).map_err(unreadable)?;
        let canonical = fs::canonicalize(&root).map_err(unreadable)?;
        if root.components().any(|part| part == Component::ParentDir) {
            root.clone_from(&canonical);
        }
        let home = std::env::home_dir().and_then(|home| fs::canonicalize(home).ok());
        let broad = SYSTEM.iter().map(PathBuf::from).chain(home).find(|place| place.starts_with(&canonical));
        if let Some(holds) = broad {
            return Err(VenvRefused::Broad { path: root, holds });
        }
        let Some(venv) = Self::read(&root).map_err(unreadable)? else {
            return Err(VenvRefused::NoConfig { path: root });
        };
        let private = Private::of(private).map_err(VenvRefused::Exposed)?;
        venv.paths().iter().try_for_each(|path| private.check(path)).map_err(VenvRefused::Exposed)?;
        Ok(venv)
    }

    /// The environment that a program belongs to: `pyvenv.cfg` lies in the directory above its own.
    pub(crate) fn of(program: &Path) -> Option<Self> {
        let root = program.is_absolute().then(|| program.parent()?.parent()).flatten()?;
        Self::read(root).ok().flatten()
    }

    fn read(root: &Path) -> io::Result<Option<Self>> {
        let config = match fs::File::open(root.join("pyvenv.cfg")) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            opened => opened?,
        };
        let mut text = String::new();
        config.take(VENV_CONFIG_BYTES).read_to_string(&mut text)?;
        let home = text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "home").then(|| PathBuf::from(value.trim()))
        });
        Ok(Some(Self { root: root.to_owned(), home }))
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The environment, and of the installation only programs and libraries: it may lie in somebody's home.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let mut paths = vec![self.root.clone()];
        let real = fs::canonicalize(self.root.join("bin/python")).ok();
        let real = real.as_deref().and_then(Path::parent).map(Path::to_owned);
        for home in [self.home.clone(), real].into_iter().flatten().filter(|home| home.is_absolute()) {
            let Some(prefix) = home.parent() else { continue };
            for name in ["bin", "lib", "lib64"].map(|name| prefix.join(name)) {
                if name.is_dir() && !paths.contains(&name) {
                    paths.push(name);
                }
            }
        }
        paths
    }
}

/// An environment that was hashed, and how to see whether it is still the same.
pub(crate) struct TakenVenv {
    root: PathBuf,
    trees: Vec<(PathBuf, Taken)>,
}

impl TakenVenv {
    /// Hashes what a job's environment consists of outside of the system's own directories.
    pub(crate) fn of(mounts: &Mounts) -> Result<Option<Self>, (PathBuf, TreeRefused)> {
        let Some(venv) = &mounts.venv else { return Ok(None) };
        let mut trees = Vec::with_capacity(mounts.installed.len());
        for path in &mounts.installed {
            let taken = tree::take(path, &Bounds::ENVIRONMENT).map_err(|refused| (path.clone(), refused))?;
            let mounted = mounts.binds.iter().find(|bind| Path::new(&bind.source) == path);
            if mounted.is_some_and(|bind| bind.node != taken.node) {
                return Err((path.clone(), TreeRefused::Changed { path: ".".to_owned() }));
            }
            trees.push((path.clone(), taken));
        }
        Ok(Some(Self { root: venv.root().to_owned(), trees }))
    }

    /// The first file that is no longer what was hashed.
    pub(crate) fn changed(&self) -> Option<PathBuf> {
        self.trees.iter().find_map(|(root, taken)| Some(root.join(taken.changed(&Bounds::ENVIRONMENT)?)))
    }

    pub(crate) fn report(&self) -> Environment {
        let one = |(path, taken): &(PathBuf, Taken)| Installed { path: path.clone(), hashed: taken.hashed };
        let packages: BTreeSet<&str> =
            self.trees.iter().take(1).flat_map(|(_, taken)| taken.paths().filter_map(package)).collect();
        Environment {
            root: self.root.clone(),
            installed: self.trees.iter().map(one).collect(),
            packages: packages
                .into_iter()
                .take(PACKAGES)
                .map(|package| package.replacen('-', " ", 1))
                .collect(),
        }
    }
}

/// The package that a file describes, as `NAME-VERSION`: its directory is called `NAME-VERSION.dist-info`.
fn package(path: &str) -> Option<&str> {
    let directory = path.strip_suffix("/METADATA")?;
    directory.rsplit('/').next()?.strip_suffix(".dist-info")
}
