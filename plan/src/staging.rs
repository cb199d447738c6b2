//! `[staging]`: where the source's answers and its audio are kept. Source: docs/reference/plan.md.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::PlanError;
use crate::secret::SecretRef;

/// `[staging]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Staging {
    /// `file:///...`, `s3://bucket/prefix`, `az://container/prefix`; a plain path is relative to
    /// the plan.
    pub url: String,
    /// With an object store: folder on this machine for what is being read and converted, relative
    /// to the plan. Nothing stays in it.
    #[serde(default = "scratch")]
    pub scratch: PathBuf,
    /// With an object store: PEM file of authorities that are trusted besides the system's.
    pub ca: Option<PathBuf>,
    /// With an object store: whether plain http may go to another machine.
    #[serde(default)]
    pub plain_http: bool,
    /// Settings of `s3://`. What is absent is taken from the environment, as AWS's own programs
    /// do.
    pub s3: Option<S3>,
    /// Settings of `az://`. What is absent is taken from the environment, as Azure's own programs
    /// do.
    pub azure: Option<Azure>,
}

fn scratch() -> PathBuf {
    PathBuf::from("scratch")
}

/// `[staging.s3]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct S3 {
    /// Region, as `eu-central-1`.
    pub region: Option<String>,
    /// Address of another S3 store than Amazon's.
    #[schemars(with = "Option<String>")]
    pub endpoint: Option<Url>,
    /// Whether the bucket stands in the host's name instead of the path.
    pub virtual_hosted: bool,
    /// Access key. Absent: from the environment, a web identity, the container or the machine.
    pub access_key_id: Option<String>,
    /// Its secret.
    pub secret_access_key: Option<SecretRef>,
    /// Token of a session, with temporary keys.
    pub session_token: Option<SecretRef>,
    /// How the store encrypts. Absent: as the bucket says.
    pub encryption: Option<S3Encryption>,
    /// Key for `aws:kms`. Absent: the account's.
    pub kms_key: Option<String>,
}

/// `staging.s3.encryption`. Source: Amazon S3, `x-amz-server-side-encryption`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum S3Encryption {
    /// Keys of the store.
    #[serde(rename = "AES256")]
    Aes256,
    /// A key of the key management service.
    #[serde(rename = "aws:kms")]
    Kms,
    /// Twice, by a key of the key management service.
    #[serde(rename = "aws:kms:dsse")]
    KmsTwice,
}

impl S3Encryption {
    fn as_str(self) -> &'static str {
        match self {
            S3Encryption::Aes256 => "AES256",
            S3Encryption::Kms => "aws:kms",
            S3Encryption::KmsTwice => "aws:kms:dsse",
        }
    }
}

/// `[staging.azure]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Azure {
    /// Storage account.
    pub account: Option<String>,
    /// Address of another blob store than Azure's, with the account in its path.
    #[schemars(with = "Option<String>")]
    pub endpoint: Option<Url>,
    /// Key of the account. Absent, with all below: from the environment or the machine's identity.
    pub access_key: Option<SecretRef>,
    /// Shared access signature, instead of a key.
    pub sas_token: Option<SecretRef>,
    /// Directory of an application, instead of a key.
    pub tenant_id: Option<String>,
    /// Its client id.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<SecretRef>,
}

/// Where staging is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StagingPlace {
    /// A folder on this machine.
    Folder(PathBuf),
    /// `s3://` or `az://`.
    ObjectStore(Url),
}

impl Staging {
    /// Why these keys make no staging. Absent: they do.
    pub(crate) fn problem(&self) -> Option<String> {
        let scheme = self.url.split_once("://").map(|(scheme, _)| scheme);
        let wrong = |key: &str, wanted: &str| {
            format!(
                "staging.{key} is of {wanted}, and staging.url is `{}`",
                self.url
            )
        };
        if self.s3.is_some() && scheme != Some("s3") {
            return Some(wrong("s3", "s3://bucket/prefix"));
        }
        if self.azure.is_some() && scheme != Some("az") {
            return Some(wrong("azure", "az://container/prefix"));
        }
        let s3 = self.s3.as_ref();
        if s3.is_some_and(|s3| s3.access_key_id.is_some() != s3.secret_access_key.is_some()) {
            return Some(
                "staging.s3.access_key_id and staging.s3.secret_access_key go together".to_owned(),
            );
        }
        let has_kms = |s3: &S3| {
            matches!(
                s3.encryption,
                Some(S3Encryption::Kms | S3Encryption::KmsTwice)
            )
        };
        if s3.is_some_and(|s3| s3.kms_key.is_some() && !has_kms(s3)) {
            return Some(
                "staging.s3.kms_key needs staging.s3.encryption = \"aws:kms\" or \"aws:kms:dsse\""
                    .to_owned(),
            );
        }
        let of_application = |azure: &Azure| {
            [
                azure.tenant_id.is_some(),
                azure.client_id.is_some(),
                azure.client_secret.is_some(),
            ]
        };
        let is_half = |azure: &Azure| {
            let given = of_application(azure);
            given.contains(&true) && given.contains(&false)
        };
        if self.azure.as_ref().is_some_and(is_half) {
            return Some(
                "staging.azure.tenant_id, client_id and client_secret go together".to_owned(),
            );
        }
        place(&self.url, Path::new("")).err()
    }

    /// As [`crate::LoadedPlan::store_settings`], of a plan in this folder.
    pub(crate) fn settings(&self, dir: &Path) -> Result<Vec<(&'static str, String)>, PlanError> {
        let mut settings = Vec::new();
        let secret = |reference: &Option<SecretRef>, key: &str| {
            let value = reference.as_ref().map(|reference| {
                let secret = reference.read(dir, &format!("staging.{key}"))?;
                Ok(secret.expose_the_secret().to_owned())
            });
            value.transpose()
        };
        if let Some(s3) = &self.s3 {
            settings.extend([
                ("aws_region", s3.region.clone()),
                ("aws_endpoint", s3.endpoint.as_ref().map(Url::to_string)),
                (
                    "aws_virtual_hosted_style_request",
                    s3.virtual_hosted.then(|| "true".to_owned()),
                ),
                ("aws_access_key_id", s3.access_key_id.clone()),
                (
                    "aws_secret_access_key",
                    secret(&s3.secret_access_key, "s3.secret_access_key")?,
                ),
                (
                    "aws_session_token",
                    secret(&s3.session_token, "s3.session_token")?,
                ),
                (
                    "aws_server_side_encryption",
                    s3.encryption.map(|how| how.as_str().to_owned()),
                ),
                ("aws_sse_kms_key_id", s3.kms_key.clone()),
            ]);
        }
        if let Some(azure) = &self.azure {
            settings.extend([
                ("azure_storage_account_name", azure.account.clone()),
                (
                    "azure_storage_endpoint",
                    azure.endpoint.as_ref().map(Url::to_string),
                ),
                (
                    "azure_storage_account_key",
                    secret(&azure.access_key, "azure.access_key")?,
                ),
                (
                    "azure_storage_sas_token",
                    secret(&azure.sas_token, "azure.sas_token")?,
                ),
                ("azure_tenant_id", azure.tenant_id.clone()),
                ("azure_client_id", azure.client_id.clone()),
                (
                    "azure_client_secret",
                    secret(&azure.client_secret, "azure.client_secret")?,
                ),
            ]);
        }
        Ok(settings
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect())
    }
}

/// Where a URL is. Relative paths start at `dir`.
pub(crate) fn place(url: &str, dir: &Path) -> Result<StagingPlace, String> {
    let folder = |path: &str| StagingPlace::Folder(dir.join(path));
    match url.split_once("://") {
        None => Ok(folder(url)),
        Some(("file", path)) => Ok(folder(path)),
        Some(("s3" | "az", rest)) => {
            let parsed =
                Url::parse(url).map_err(|error| format!("staging.url `{url}`: {error}"))?;
            // A name and a password in it would be a secret in the plan.
            let is_plain = parsed.username().is_empty()
                && parsed.password().is_none()
                && parsed.query().is_none()
                && parsed.port().is_none();
            if rest.is_empty() || rest.starts_with('/') || !is_plain {
                return Err(format!(
                    "staging.url `{}://...`: write s3://bucket/prefix or az://container/prefix",
                    parsed.scheme()
                ));
            }
            Ok(StagingPlace::ObjectStore(parsed))
        }
        Some((scheme, _)) => Err(format!(
            "staging.url: {scheme}:// is no staging; use s3://bucket/prefix, \
             az://container/prefix, file:///path or a plain path"
        )),
    }
}
