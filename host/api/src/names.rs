//! Every name that keymill writes into a cluster and that is not a field: API groups, labels, annotations, finalizers,
//! field managers, Secret types, reasons of conditions and events.
//!
//! ESO's are byte for byte what ESO 2.9 writes, since a cluster may be handed over in either direction. Ours are all
//! under `keymill.dev/`.

/// API groups and versions.
pub mod group {
    /// ESO's group of stores, ExternalSecrets and PushSecrets.
    pub const EXTERNAL_SECRETS: &str = "external-secrets.io";
    /// ESO's group of generators.
    pub const GENERATORS: &str = "generators.external-secrets.io";
    /// The apiVersion that a generatorRef has when it names none.
    pub const GENERATORS_V1ALPHA1: &str = "generators.external-secrets.io/v1alpha1";
    /// Our own group.
    pub const KEYMILL: &str = "keymill.dev";
    /// The apiVersion of our own kinds.
    pub const KEYMILL_V1ALPHA1: &str = "keymill.dev/v1alpha1";
}

/// Label keys.
pub mod label {
    /// On a target that an ExternalSecret manages; its value is [`MANAGED_VALUE`].
    pub const MANAGED: &str = "reconcile.external-secrets.io/managed";
    /// The value of [`MANAGED`].
    pub const MANAGED_VALUE: &str = "true";
    /// On a target with creationPolicy Owner: SHA3-224 of `namespace/name` of its ExternalSecret, in hex.
    pub const CREATED_BY: &str = "reconcile.external-secrets.io/created-by";
    /// On Secrets that webhooks may read, with the value [`TYPE_WEBHOOK`].
    pub const TYPE: &str = "external-secrets.io/type";
    /// The value of [`TYPE`] for webhooks.
    pub const TYPE_WEBHOOK: &str = "webhook";
    /// On a GeneratorState: SHA3-224 of `Kind-namespace-name-key` of its owner, in hex.
    pub const OWNER_KEY: &str = "generators.external-secrets.io/owner-key";
    /// On each CRD of ESO's kinds, with the value [`COMPONENT_CONTROLLER`].
    pub const COMPONENT: &str = "external-secrets.io/component";
    /// The value of [`COMPONENT`].
    pub const COMPONENT_CONTROLLER: &str = "controller";
}

/// Annotation keys.
pub mod annotation {
    /// On a target: SHA3-224 of its data, in hex.
    pub const DATA_HASH: &str = "reconcile.external-secrets.io/data-hash";
    /// On an ExternalSecret: any change of its value asks for a refresh.
    pub const FORCE_SYNC: &str = "external-secrets.io/force-sync";
    /// On a store: silences the warnings about its maintenance.
    pub const IGNORE_MAINTENANCE_CHECKS: &str = "external-secrets.io/ignore-maintenance-checks";
    /// On a Secret of type [`super::secret_type::SERVICE_ACCOUNT_TOKEN`]: the ServiceAccount that its token is for.
    pub const SERVICE_ACCOUNT_NAME: &str = "kubernetes.io/service-account.name";
    /// On a target: the id of the rotation that it was rendered from.
    pub const ROTATION: &str = "keymill.dev/rotation";
    /// On an ExternalSecret or PushSecret: `"true"` rotates as soon as the generator's config changes.
    pub const ROTATE_ON_CONFIG_CHANGE: &str = "keymill.dev/rotate-on-config-change";
    /// On an ExternalSecret or PushSecret: the template engine that renders its template.
    pub const TEMPLATE_ENGINE: &str = "keymill.dev/template-engine";
}

/// Finalizers.
pub mod finalizer {
    /// On an ExternalSecret.
    pub const EXTERNAL_SECRET: &str = "externalsecrets.external-secrets.io/externalsecret-cleanup";
    /// On a ClusterExternalSecret.
    pub const CLUSTER_EXTERNAL_SECRET: &str =
        "externalsecrets.external-secrets.io/clusterexternalsecret-cleanup";
    /// On a Namespace, followed by the name of the ClusterExternalSecret.
    pub const NAMESPACE_PREFIX: &str = "externalsecrets.external-secrets.io/ces-";
    /// On a PushSecret with deletionPolicy Delete.
    pub const PUSH_SECRET: &str = "pushsecret.externalsecrets.io/finalizer";
    /// On a SecretStore or ClusterSecretStore that such a PushSecret pushes to.
    pub const SECRET_STORE: &str = "secretstore.externalsecrets.io/finalizer";
    /// On a GeneratorState.
    pub const GENERATOR_STATE: &str = "generatorstate.externalsecrets.io/finalizer";
}

/// Field managers.
pub mod field_manager {
    /// Followed by the name of the ExternalSecret. When both are longer than [`LENGTH_MAX`], by [`SHA3_INFIX`] and the
    /// SHA3-224 of the name in hex instead.
    pub const EXTERNAL_SECRET_PREFIX: &str = "externalsecrets.external-secrets.io/";
    /// Between prefix and hash of a name that is too long.
    pub const SHA3_INFIX: &str = "sha3/";
    /// The longest field manager that is written with the name itself, in bytes.
    pub const LENGTH_MAX: usize = 63;
}

/// Types of Secrets.
pub mod secret_type {
    /// A rotation record.
    pub const ROTATION: &str = "keymill.dev/rotation";
    /// A ServiceAccount's token, which the cluster fills in: no template may make one for an account it names.
    pub const SERVICE_ACCOUNT_TOKEN: &str = "kubernetes.io/service-account-token";
    /// A bootstrap token, with which a node joins the cluster: no template may make one.
    pub const BOOTSTRAP_TOKEN: &str = "bootstrap.kubernetes.io/token";
}

/// Reasons of conditions.
pub mod reason {
    /// ExternalSecret Ready: the target has the values.
    pub const SECRET_SYNCED: &str = "SecretSynced";
    /// ExternalSecret not Ready: a step failed.
    pub const SECRET_SYNCED_ERROR: &str = "SecretSyncedError";
    /// ExternalSecret Ready: the target was deleted because the store has no value any more.
    pub const SECRET_DELETED: &str = "SecretDeleted";
    /// ExternalSecret Ready: creationPolicy Merge, and there is no target to merge into.
    pub const SECRET_MISSING: &str = "SecretMissing";
    /// As [`SECRET_SYNCED`], for a target that is not a Secret.
    pub const RESOURCE_SYNCED: &str = "ResourceSynced";
    /// As [`SECRET_SYNCED_ERROR`], for a target that is not a Secret.
    pub const RESOURCE_SYNCED_ERROR: &str = "ResourceSyncedError";
    /// As [`SECRET_DELETED`], for a target that is not a Secret.
    pub const RESOURCE_DELETED: &str = "ResourceDeleted";
    /// As [`SECRET_MISSING`], for a target that is not a Secret.
    pub const RESOURCE_MISSING: &str = "ResourceMissing";
    /// PushSecret Ready: the stores have the values.
    pub const SYNCED: &str = "Synced";
    /// PushSecret not Ready: a step failed.
    pub const ERRORED: &str = "Errored";
    /// PushSecret not Ready: its source is gone and what it had pushed was deleted.
    pub const SOURCE_DELETED: &str = "SourceDeleted";
    /// Store Ready: it answers.
    pub const VALID: &str = "Valid";
    /// Store not Ready: its spec cannot work, or its server refuses.
    pub const INVALID_PROVIDER_CONFIG: &str = "InvalidProviderConfig";
    /// Our own kinds Ready: the component is there and accepts the config.
    pub const ACCEPTED: &str = "Accepted";
    /// Component Ready: what is at its source serves.
    pub const SERVING: &str = "Serving";
    /// Store Ready: whether it answers is only known when it is used.
    pub const VALIDATION_UNKNOWN: &str = "ValidationUnknown";
}

/// Reasons of events, beside those of conditions.
pub mod event {
    /// The target was created.
    pub const CREATED: &str = "Created";
    /// The target was updated.
    pub const UPDATED: &str = "Updated";
    /// The target was deleted.
    pub const DELETED: &str = "Deleted";
    /// A store has no value for an entry, and the deletionPolicy says to go on without.
    pub const MISSING_PROVIDER_SECRET: &str = "MissingProviderSecret";
    /// A refresh failed.
    pub const UPDATE_FAILED: &str = "UpdateFailed";
    /// The store's provider is not maintained.
    pub const STORE_UNMAINTAINED: &str = "StoreUnmaintained";
    /// The store's provider is deprecated.
    pub const STORE_DEPRECATED: &str = "StoreDeprecated";
}
