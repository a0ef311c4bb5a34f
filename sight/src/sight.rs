//! Everything that has to be known before anything can be told: the Environment, the commit in force
//! from a clone, and what the reconciler published of it.

use std::path::{Path, PathBuf};

use gitward_core::additions::Additions;
use gitward_core::adoption::Adoption;
use gitward_core::object::ObjectKey;
use gitward_core::snapshot::{Commit, Snapshot};
use gitward_index::environment::{self, Environment};
use gitward_index::names::{Named, Names};
use gitward_index::trouble::says;
use gitward_index::{Discovery, additions, read};
use gitward_repo::{CommitId, Credentials, Repository, Source};
use jiff::Timestamp;
use kube::{Api, Client, ResourceExt};
use serde::Serialize;
use serde_json::Value;

use crate::past::Past;
use crate::{Error, Result, Target};

/// One environment as a person's account and clone show it.
pub struct Sight {
    pub(crate) client: Client,
    pub(crate) discovery: Discovery,
    pub(crate) snapshot: Snapshot,
    pub(crate) additions: Additions,
    pub(crate) adoption: Adoption,
    pub(crate) source: Source,
    pub(crate) repository: Repository,
    pub(crate) past: Past,
    pub(crate) in_force: InForce,
}

/// What everything is held against.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InForce {
    /// Name of the environment.
    pub environment: String,
    /// The commit that the cluster was last brought to.
    pub commit: Commit,
    /// What has to be borne in mind: that the environment is not converged, or what could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Sight {
    /// Reads the Environment of that name (the only one, if none is named), the commit in force from
    /// the clone that holds `clone`, and the published additions.
    ///
    /// # Errors
    /// Whatever nothing can be told without. That the additions may not be read is a note.
    pub async fn open(client: Client, name: Option<&str>, clone: &Path) -> Result<Self> {
        let environment = chosen(environments(&client).await?, name)?;
        let name = environment.name_any();
        let mut notes = Vec::new();
        let (source, repository, snapshot_of) = declared(&environment, clone, &mut notes)?;
        let discovery = Discovery::new(client.clone());
        discovery.refresh().await.map_err(Error::api("which kinds the API server serves"))?;
        let additions = match additions::load(&client, &name).await {
            Ok(additions) => additions,
            Err(error) => {
                notes.push(format!(
                    "what the API server adds to declared objects cannot be read (ConfigMaps in {}): {}",
                    additions::NAMESPACE,
                    says(&error)
                ));
                Additions::default()
            }
        };
        let status = environment.status.unwrap_or_default();
        let adoption = status.adoption();
        let snapshot = Snapshot::assemble(
            snapshot_of.environment,
            snapshot_of.configuration,
            snapshot_of.commit,
            snapshot_of.declared,
            &additions,
            None,
            Timestamp::now(),
        );
        let in_force = InForce { environment: name, commit: snapshot.commit.clone(), notes };
        let past = Past::of(snapshot.clone());
        Ok(Self { client, discovery, snapshot, additions, adoption, source, repository, past, in_force })
    }

    /// The object that a person names, as it is now, with the path that is left of the name. An object
    /// that Git declares is read in the version it is declared in.
    pub(crate) async fn find(&self, target: &Target) -> Result<(ObjectKey, Option<Value>, String)> {
        let names = Names::read(&self.client).await.map_err(Error::api("which kinds the API server serves"))?;
        let named = names.find(&target.kind).ok_or_else(|| Error::NoKind(target.kind.clone()))?;
        let namespace = match (&target.namespace, named.namespaced) {
            (_, false) => "",
            (Some(namespace), true) => namespace,
            (None, true) => self.client.default_namespace(),
        };
        let mut first = None;
        for (name, path) in target.readings() {
            let key = ObjectKey::new(&named.resource.group, &named.resource.kind, namespace, name);
            let live = self.read(named, &key).await?;
            if live.is_some() || self.snapshot.is_declared(&key) {
                return Ok((key, live, path.to_owned()));
            }
            // Where there is none of them, a name without dots is the likeliest.
            first = Some(key);
        }
        let object = first.map_or_else(|| target.kind.clone(), |key| key.to_string());
        Err(Error::NoObject { object, declared: None })
    }

    async fn read(&self, named: &Named, key: &ObjectKey) -> Result<Option<Value>> {
        let mut resource = named.resource.clone();
        if let Some(declared) = self.snapshot.declared(key) {
            resource.version.clone_from(&declared.gvk().version);
            resource.api_version = declared.gvk().api_version();
        }
        read(&self.client, &resource, key).await.map_err(Error::api(key.to_string()))
    }
}

/// All Environments of a cluster.
pub(crate) async fn environments(client: &Client) -> Result<Vec<Environment>> {
    let api: Api<Environment> = Api::all(client.clone());
    let found = api.list(&kube::api::ListParams::default()).await;
    match found {
        Ok(list) => Ok(list.items),
        Err(error) if environment::is_unknown_kind(&error) => Err(Error::NotInstalled),
        Err(error) => Err(Error::api("the Environments")(error)),
    }
}

/// The Environment that is meant.
pub(crate) fn chosen(mut all: Vec<Environment>, name: Option<&str>) -> Result<Environment> {
    let known: Vec<String> = all.iter().map(ResourceExt::name_any).collect();
    let position = match name {
        Some(name) => known.iter().position(|n| n == name),
        None if all.len() > 1 => return Err(Error::SeveralEnvironments(known)),
        None => (!all.is_empty()).then_some(0),
    };
    match position {
        Some(position) => Ok(all.swap_remove(position)),
        None => Err(Error::NoEnvironment { name: name.map(str::to_owned), known }),
    }
}

/// What the commit in force declares, from a clone.
fn declared(
    environment: &Environment,
    clone: &Path,
    notes: &mut Vec<String>,
) -> Result<(Source, Repository, gitward_repo::Declaration)> {
    let name = environment.name_any();
    let status = environment.status.clone().unwrap_or_default();
    let converged = status.conditions.iter().find(|c| c.type_ == "Converged");
    let Some(commit) = &status.commit else {
        let why = converged.map(|c| c.message.clone());
        return Err(Error::NothingInForce { environment: name, why });
    };
    if let Some(condition) = converged.filter(|c| c.status != "True") {
        notes.push(format!("the environment is not converged: {}", condition.message));
    }
    let (repository, id) = (Repository::discover(clone)?, CommitId::parse(commit)?);
    if repository.commit(&id).is_err() {
        let place = repository.workdir().unwrap_or_else(|| repository.git_dir()).to_owned();
        return Err(Error::NoCommit {
            commit: commit.clone(),
            environment: name,
            clone: place,
            repository: environment.spec.repository.clone(),
            git_ref: environment.spec.git_ref.clone(),
        });
    }
    let source = Source {
        environment: name,
        repository: environment.spec.repository.clone(),
        git_ref: environment.spec.git_ref.clone(),
        path: environment.spec.path.clone(),
        mirror: PathBuf::from(repository.git_dir()),
        credentials: Credentials::None,
    };
    let declaration = source.declaration(&repository, &id)?;
    Ok((source, repository, declaration))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gitward_index::environment::EnvironmentSpec;

    fn environment(name: &str) -> Environment {
        let spec = EnvironmentSpec { repository: "r".into(), git_ref: "refs/heads/main".into(), path: None };
        Environment::new(name, spec)
    }

    #[test]
    fn the_only_environment_need_not_be_named() {
        let all = || vec![environment("dev"), environment("prod")];
        assert_eq!(chosen(vec![environment("dev")], None).unwrap().name_any(), "dev");
        assert_eq!(chosen(all(), Some("prod")).unwrap().name_any(), "prod");
        assert!(matches!(chosen(all(), None), Err(Error::SeveralEnvironments(names)) if names == ["dev", "prod"]));
        assert!(matches!(chosen(all(), Some("x")), Err(Error::NoEnvironment { .. })));
        let none = chosen(Vec::new(), None).unwrap_err();
        assert!(none.hint().unwrap().contains("create one"));
    }
}
