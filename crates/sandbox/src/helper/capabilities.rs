//! Giving up what root has: groups, user id, capabilities, and the chance to get them back.

use rustix::process::{Gid, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::failed;
use crate::isolation::{Fault, Part};

/// Whether this process has all capabilities that building a sandbox without a user namespace takes.
pub(super) fn may_mount() -> bool {
    let needed = CapabilitySet::SYS_ADMIN
        | CapabilitySet::SETPCAP
        | CapabilitySet::SETUID
        | CapabilitySet::SETGID
        | CapabilitySet::CHOWN
        | CapabilitySet::DAC_OVERRIDE;
    rustix::process::geteuid().is_root()
        && rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(needed))
}

/// Becomes a user without privileges. With `keep`, capabilities stay until [`drop_all`].
pub(super) fn become_user(id: u32, keep: bool) -> Result<(), Fault> {
    let step = |what: &str| failed(None, format!("{what} of user {id}"));
    let (uid, gid) = (Uid::from_raw(id), Gid::from_raw(id));
    let sets = rustix::thread::capabilities(None).map_err(step("reading capabilities"))?;
    rustix::thread::set_keep_capabilities(keep).map_err(step("keeping capabilities"))?;
    rustix::thread::set_thread_groups(&[]).map_err(step("taking the groups"))?;
    rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(step("taking the group"))?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(step("taking the id"))?;
    if keep {
        let kept = CapabilitySets { effective: sets.permitted, ..sets };
        rustix::thread::set_capabilities(None, kept).map_err(step("raising capabilities"))?;
    }
    // A change of user makes `/proc/self` root's; the maps of the user namespace are written there.
    let dumpable = rustix::process::DumpableBehavior::Dumpable;
    rustix::process::set_dumpable_behavior(dumpable).map_err(step("opening /proc/self"))
}

/// Passes all capabilities on to the next program, whose user is not root in the user namespace.
pub(super) fn keep_over_exec() -> Result<(), Fault> {
    let step = || failed(Some(Part::UserNamespace), "keeping capabilities for the second stage");
    let sets = rustix::thread::capabilities(None).map_err(step())?;
    let inheritable = CapabilitySets { inheritable: sets.permitted, ..sets };
    rustix::thread::set_capabilities(None, inheritable).map_err(step())?;
    for capability in sets.permitted.iter() {
        rustix::thread::configure_capability_in_ambient_set(capability, true).map_err(step())?;
    }
    Ok(())
}

/// Gives up every capability, also those that running a program could bring.
pub(super) fn drop_all() -> Result<(), Fault> {
    let step = || failed(Some(Part::UserNamespace), "dropping capabilities");
    rustix::thread::clear_ambient_capability_set().map_err(step())?;
    for number in 0..u64::BITS {
        match rustix::thread::remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(
            1 << number,
        )) {
            Ok(()) => {}
            // Beyond the last capability that this kernel knows; or there is none to remove.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::PERM) => break,
            Err(errno) => return Err(step()(errno)),
        }
    }
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets).map_err(step())
}
