//! From facts to Cedar's words: one question becomes entities, context and request.

use std::collections::{BTreeSet, HashMap, HashSet};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression, Schema,
};

use crate::facts::{Credential, Makers, ModelFacts, ResourceFacts, minutes};
use crate::limits::PEOPLE;
use crate::question::Question;
use crate::role::{PersonId, Role, Tier};

/// The question could not be put to Cedar; always a denial.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Untranslatable {
    /// Cedar refused a part of the question.
    #[error("the facts do not fit the schema: {0}")]
    Schema(String),
    /// A set of people is too large.
    #[error("more than {PEOPLE} people in one set of facts")]
    People,
}

/// What a question is in Cedar.
pub(crate) struct Translated {
    pub(crate) request: Request,
    pub(crate) entities: Entities,
}

type Attributes = HashMap<String, RestrictedExpression>;

/// Puts `question` into the words of `schema`, with the roles and tier that may differ from the question's own.
pub(crate) fn translate(
    schema: &Schema,
    question: &Question,
    roles: &BTreeSet<Role>,
    tier: Tier,
) -> Result<Translated, Untranslatable> {
    let principal = uid("Principal", &question.principal.id().to_string())?;
    let action = uid("Action", question.action.id())?;
    let resource = uid(question.resource.kind().as_str(), &question.resource_name())?;
    let entities = Entities::from_entities(
        [
            entity(principal.clone(), principal_attributes(question)?, role_uids(roles)?)?,
            entity(resource.clone(), resource_attributes(question, tier)?, HashSet::new())?,
        ],
        Some(schema),
    )
    .map_err(refused)?;
    let context = Context::from_pairs(circumstances(question)?).map_err(refused)?;
    let request = Request::new(principal, action, resource, context, Some(schema)).map_err(refused)?;
    Ok(Translated { request, entities })
}

fn refused(error: impl std::error::Error) -> Untranslatable {
    Untranslatable::Schema(error.to_string())
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, Untranslatable> {
    let kind: EntityTypeName = kind.parse().map_err(refused)?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn reference(kind: &str, id: &str) -> Result<RestrictedExpression, Untranslatable> {
    uid(kind, id).map(RestrictedExpression::new_entity_uid)
}

fn person(person: PersonId) -> Result<RestrictedExpression, Untranslatable> {
    reference("Person", &person.to_string())
}

fn people(people: &BTreeSet<PersonId>) -> Result<RestrictedExpression, Untranslatable> {
    if people.len() > PEOPLE {
        return Err(Untranslatable::People);
    }
    let references: Result<Vec<_>, _> = people.iter().copied().map(person).collect();
    Ok(RestrictedExpression::new_set(references?))
}

fn entity(
    id: EntityUid,
    attributes: Attributes,
    parents: HashSet<EntityUid>,
) -> Result<Entity, Untranslatable> {
    Entity::new(id, attributes, parents).map_err(refused)
}

fn role_uids(roles: &BTreeSet<Role>) -> Result<HashSet<EntityUid>, Untranslatable> {
    let member = if roles.is_empty() { None } else { Some("member") };
    roles.iter().copied().map(Role::as_str).chain(member).map(|role| uid("Role", role)).collect()
}

fn principal_attributes(question: &Question) -> Result<Attributes, Untranslatable> {
    let facts = &question.principal;
    Ok(HashMap::from([
        ("kind".to_owned(), reference("Kind", facts.kind().as_str())?),
        ("person".to_owned(), person(facts.responsible())?),
        ("project".to_owned(), reference("ProjectId", &facts.project().to_string())?),
        ("standing".to_owned(), reference("Standing", facts.standing().as_str())?),
    ]))
}

fn resource_attributes(question: &Question, tier: Tier) -> Result<Attributes, Untranslatable> {
    let mut attributes = HashMap::from([
        ("project".to_owned(), reference("ProjectId", &question.project.id.to_string())?),
        ("tier".to_owned(), reference("Tier", tier.as_str())?),
    ]);
    let mut set = |name: &str, value| attributes.insert(name.to_owned(), value);
    match &question.resource {
        ResourceFacts::Project(_)
        | ResourceFacts::Dataset(_)
        | ResourceFacts::Source(_)
        | ResourceFacts::Artifact(_) => {}
        ResourceFacts::Model(model) => {
            set("approvers", people(&model.approvers)?);
            attributes.extend(version_attributes(model)?);
        }
        ResourceFacts::Alias(alias) => {
            set("guarded", RestrictedExpression::new_bool(alias.guarded));
            attributes.extend(version_attributes(&alias.target)?);
        }
        ResourceFacts::Endpoint(endpoint) => {
            if let Some(target) = &endpoint.target {
                attributes.extend(version_attributes(target)?);
            }
        }
        ResourceFacts::User(user) => {
            set("person", person(user.person)?);
        }
        ResourceFacts::Key(key) => {
            set("person", person(key.person)?);
            set("enrolment", RestrictedExpression::new_bool(key.enrolment));
            set("newcomer", RestrictedExpression::new_bool(key.newcomer));
        }
        ResourceFacts::Grant(grant) => {
            set("to", reference("Principal", &grant.to.to_string())?);
            set("person", person(grant.person)?);
            set("direct", RestrictedExpression::new_bool(grant.to == grant.person.principal()));
            if let Some(confirmed_by) = grant.confirmed_by {
                set("confirmed_by", person(confirmed_by)?);
            }
        }
    }
    Ok(attributes)
}

/// The attributes that a model version and an alias to it share.
fn version_attributes(model: &ModelFacts) -> Result<Attributes, Untranslatable> {
    let Makers { submitted, owned, trained, imported } = &model.makers;
    let makers = RestrictedExpression::new_record([
        ("submitted".to_owned(), people(submitted)?),
        ("owned".to_owned(), people(owned)?),
        ("trained".to_owned(), people(trained)?),
        ("imported".to_owned(), people(imported)?),
    ])
    .map_err(refused)?;
    let mut attributes = HashMap::from([
        ("makers".to_owned(), makers),
        ("sensitive".to_owned(), RestrictedExpression::new_bool(model.sensitive)),
    ]);
    if let Some(stopped_by) = model.stopped_by {
        attributes.insert("stopped_by".to_owned(), person(stopped_by)?);
    }
    Ok(attributes)
}

fn circumstances(question: &Question) -> Result<Vec<(String, RestrictedExpression)>, Untranslatable> {
    let context = &question.context;
    let mut pairs = vec![
        ("via".to_owned(), reference("Via", context.via().as_str())?),
        ("network".to_owned(), reference("Network", context.network().as_str())?),
        ("minute".to_owned(), RestrictedExpression::new_long(minutes(context.minute()))),
        ("operation".to_owned(), RestrictedExpression::new_string(question.action.id().to_owned())),
    ];
    if let Credential::ApiKey { scopes, expires_at, .. } = context.credential() {
        let scopes = scopes.iter().map(|action| RestrictedExpression::new_string(action.id().to_owned()));
        let key = RestrictedExpression::new_record([
            ("scopes".to_owned(), RestrictedExpression::new_set(scopes)),
            ("expires_minute".to_owned(), RestrictedExpression::new_long(minutes(*expires_at))),
        ])
        .map_err(refused)?;
        pairs.push(("key".to_owned(), key));
    }
    Ok(pairs)
}
