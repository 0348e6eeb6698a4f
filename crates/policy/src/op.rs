//! Operations: one type per action, so that an answer to one question is no answer to another.
//!
//! [`Allowed<op::ModelApprove>`](crate::Allowed) and `Allowed<op::ModelShow>` are different types; a function
//! that approves takes the first and cannot be called with the second.

use std::fmt;

use crate::action::{Action, ResourceKind};
use crate::facts::{
    AliasFacts, ArtifactFacts, DatasetFacts, EndpointFacts, Facts, GrantFacts, KeyFacts, ModelFacts,
    ProjectWide, SourceFacts, UserFacts,
};
use crate::role::{Role, Tier};

/// An action as a type, with the facts its resource must come with.
///
/// Sealed: an operation outside this module would not be in the table of actions.
pub trait Operation: sealed::Sealed + fmt::Debug + Copy {
    /// The facts about what the operation is asked for on.
    type Resource: Facts;

    /// The action in the table.
    fn action(&self) -> Action;
}

mod sealed {
    pub trait Sealed {}
}

const fn same(table: ResourceKind, facts: ResourceKind) -> bool {
    table as u8 == facts as u8
}

macro_rules! operations {
    ($($name:ident $(($field:ident: $argument:ty, as $sample:path))? on $resource:ty;)+) => {
        $(
            #[doc = concat!("The operation of [`Action::", stringify!($name), "`].")]
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub struct $name $((
                #[doc = "What the action names after its colon."]
                pub $argument
            ))?;

            impl sealed::Sealed for $name {}

            impl Operation for $name {
                type Resource = $resource;

                fn action(&self) -> Action {
                    $(let Self($field) = *self;)?
                    Action::$name $(($field))?
                }
            }

            // The table and the type agree on the kind of resource.
            const _: () = assert!(same(Action::$name $(($sample))?.kind(), <$resource as Facts>::KIND));
        )+
    };
}

operations! {
    ProjectInit on ProjectWide;
    ProjectTier(tier: Tier, as Tier::Release) on ProjectWide;
    DataList on ProjectWide;
    DataShow on DatasetFacts;
    DataCheck on DatasetFacts;
    DataAdd on DatasetFacts;
    DataTokenize on ProjectWide;
    DataDetokenize on ProjectWide;
    SourceList on ProjectWide;
    SourceAdd on SourceFacts;
    SourceRevoke on SourceFacts;
    LineageShow on ProjectWide;
    LineageImport on ProjectWide;
    ModelList on ProjectWide;
    ModelShow on ModelFacts;
    ModelVerify on ModelFacts;
    RunStart on ProjectWide;
    ModelPush on ModelFacts;
    ModelImport on ModelFacts;
    ModelApprove on ModelFacts;
    ModelQuarantine on ModelFacts;
    ModelRetire on ModelFacts;
    ModelRevoke on ModelFacts;
    ModelAliasSet on AliasFacts;
    ModelExport on ModelFacts;
    EndpointCreate on EndpointFacts;
    EndpointRoute on EndpointFacts;
    EndpointRollback on EndpointFacts;
    EndpointDisable on EndpointFacts;
    EndpointPredict on EndpointFacts;
    PredictionsShow on ProjectWide;
    PredictionsRead on ProjectWide;
    PredictionsErase on ProjectWide;
    Prove on ModelFacts;
    LedgerShow on ProjectWide;
    LedgerProof on ProjectWide;
    LedgerFsck on ProjectWide;
    LedgerRebuild on ProjectWide;
    UserList on ProjectWide;
    UserAdd on UserFacts;
    UserDisable on UserFacts;
    UserEnable on UserFacts;
    KeyList on ProjectWide;
    KeyIssue on KeyFacts;
    KeyClaim on KeyFacts;
    KeyRevoke on KeyFacts;
    RoleList on ProjectWide;
    RoleGrant(role: Role, as Role::Viewer) on GrantFacts;
    RoleConfirm(role: Role, as Role::Viewer) on GrantFacts;
    RoleRevoke(role: Role, as Role::Viewer) on GrantFacts;
    AccessExplain on UserFacts;
    SigningKeyList on ProjectWide;
    SigningKeyExport on ProjectWide;
    Erase on ArtifactFacts;
    AuditRead on ProjectWide;
}
