//! What of this machine a job may read: system libraries, its virtual environment, and what the plan names.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::limits::VENV_CONFIG_BYTES;
use crate::plan::{Plan, PlanInvalid, mountable};
use crate::wire::Bind;

/// Where systems keep programs and libraries; those that exist are mounted, links are made again as links.
const SYSTEM: [&str; 13] = [
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
    /// The directory of the virtual environment's programs.
    pub(crate) programs: Option<String>,
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
        source: std::io::Error,
    },
    /// The plan's path lies where the sandbox has its own.
    #[error("the mounts of the plan")]
    Plan(#[source] PlanInvalid),
}

impl Mounts {
    /// Gathers what the plan's job needs.
    pub(crate) fn gather(plan: &Plan) -> Result<Self, MountsUnusable> {
        let mut mounts = Self::default();
        for path in SYSTEM.map(Path::new) {
            match fs::symlink_metadata(path) {
                Ok(found) if found.is_symlink() => mounts.link(path),
                Ok(_) => mounts.add(path)?,
                Err(_) => {}
            }
        }
        if let Some(venv) = plan.command.first().and_then(|program| Venv::of(Path::new(program))) {
            mounts.programs = venv.root.join("bin").to_str().map(str::to_owned);
            for path in venv.paths() {
                mountable(&path).map_err(MountsUnusable::Plan)?;
                mounts.add(&path)?;
            }
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

    /// Mounts a path under its own name, unless it already is there as part of another.
    fn add(&mut self, path: &Path) -> Result<(), MountsUnusable> {
        let unusable = |source| MountsUnusable::Path { path: path.to_owned(), source };
        let source = fs::canonicalize(path).map_err(unusable)?;
        let place = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
        let place =
            place.zip(path.file_name()).map_or_else(|| path.to_owned(), |(parent, name)| parent.join(name));
        let there = |inside: &Path| self.binds.iter().any(|bind| inside.starts_with(&bind.target));
        if there(path) || (there(&place) && there(&source)) {
            return Ok(());
        }
        let not_text = || unusable(std::io::ErrorKind::InvalidFilename.into());
        let (Some(source), Some(target)) = (source.to_str(), path.to_str()) else { return Err(not_text()) };
        self.binds.push(Bind { source: source.to_owned(), target: target.to_owned(), node: None });
        Ok(())
    }
}

/// A Python virtual environment and the installation that it rests on.
struct Venv {
    root: PathBuf,
    /// `home` of `pyvenv.cfg`: where the base interpreter is.
    home: Option<PathBuf>,
}

impl Venv {
    /// The environment that a program belongs to: `pyvenv.cfg` lies in the directory above its own (PEP 405).
    fn of(program: &Path) -> Option<Self> {
        let root = program.is_absolute().then(|| program.parent()?.parent()).flatten()?;
        let config = fs::File::open(root.join("pyvenv.cfg")).ok()?;
        let mut text = String::new();
        config.take(VENV_CONFIG_BYTES).read_to_string(&mut text).ok()?;
        let home = text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "home").then(|| PathBuf::from(value.trim()))
        });
        Some(Self { root: root.to_owned(), home })
    }

    /// The environment, and of the installation only programs and libraries: it may lie in somebody's home.
    fn paths(&self) -> Vec<PathBuf> {
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
