//! Landlock: which files the job may read, which directories it may write, and no TCP.

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, LandlockStatus, PathBeneath, PathFd, RestrictionStatus, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};

use crate::isolation::{Fault, Part};

/// The version whose rights are asked for; older kernels enforce those that they know.
const NEWEST: ABI = ABI::V7;

/// Restricts this process and all that it starts. Paths that do not exist are left out. Returns the version.
pub(super) fn restrict(readable: &[String], writable: &[String]) -> Result<u32, Fault> {
    let unusable = |error: RulesetError| Fault {
        part: Some(Part::Landlock),
        step: format!("restricting files with Landlock: {error}"),
        errno: 0,
    };
    let status = apply(readable, writable).map_err(unusable)?;
    match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, LandlockStatus::NotImplemented) => Err(missing(libc::ENOSYS)),
        (RulesetStatus::NotEnforced, _) => Err(missing(libc::EOPNOTSUPP)),
        (_, LandlockStatus::Available { effective_abi, .. }) => Ok(u32::from(effective_abi as u8)),
        (_, LandlockStatus::NotImplemented | LandlockStatus::NotEnabled) => Err(missing(libc::ENOSYS)),
    }
}

fn missing(errno: i32) -> Fault {
    Fault { part: Some(Part::Landlock), step: "restricting files with Landlock".to_owned(), errno }
}

fn apply(readable: &[String], writable: &[String]) -> Result<RestrictionStatus, RulesetError> {
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    // Opening a device for writing is one thing, commanding it another.
    let both = AccessFs::from_all(NEWEST) & !AccessFs::IoctlDev & !AccessFs::MakeBlock & !AccessFs::MakeChar;
    for (paths, access) in [(readable, AccessFs::from_read(NEWEST)), (writable, both)] {
        for path in paths {
            let Ok(fd) = PathFd::new(path) else { continue };
            let is_dir = std::fs::metadata(path).is_ok_and(|found| found.is_dir());
            let access = if is_dir { access } else { access & AccessFs::from_file(NEWEST) };
            rules = rules.add_rule(PathBeneath::new(fd, access))?;
        }
    }
    rules.restrict_self()
}
