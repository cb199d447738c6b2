//! Object stores: `s3://` and `az://`. The clouds' own chains of credentials come with the library;
//! connections are made as to any other host.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectStore, ObjectStoreScheme};
use url::Url;

use crate::net::network::{Side, client_for, is_this_machine};

/// A connection that says nothing for so long is given up, and the request repeated.
const SILENCE: Duration = Duration::from_secs(60);

/// How a store is reached.
#[derive(Clone, Default)]
pub struct StoreOptions {
    /// By the names that AWS and Azure have for them in the environment, in small letters; they go
    /// before the environment.
    pub settings: Vec<(&'static str, String)>,
    /// PEM file of authorities that are trusted besides the system's. Absent: none are.
    pub ca: Option<PathBuf>,
    /// Whether plain http may go to another machine.
    pub plain_http: bool,
}

/// Connections that trust whom the plan trusts, and go through a proxy as all others do.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

/// Opens the store that a URL names; paths in it begin behind the URL's own.
///
/// # Errors
///
/// The URL is of no such store, a setting is missing or wrong, the file of authorities cannot be
/// read, or plain http would go to another machine. Nothing is asked of the store yet.
pub fn open(url: &Url, options: &StoreOptions) -> Result<Arc<dyn ObjectStore>, String> {
    let named = |error: &dyn std::fmt::Display| format!("{url}: {error}");
    let (scheme, prefix) = ObjectStoreScheme::parse(url).map_err(|error| named(&error))?;
    // Whether a plain endpoint may be asked is decided where connections are made.
    let client_options = ClientOptions::new().with_allow_http(true);
    // The two builders have the same functions and no trait for them.
    macro_rules! built {
        ($builder:ty, $key:ty, $settings:expr, $endpoint:expr) => {{
            let settings: Vec<(String, String)> = $settings;
            let client = connector(value(&settings, $endpoint), options)?;
            let known = settings.into_iter().filter_map(|(name, value)| {
                let key: $key = name.parse().ok()?;
                Some((key, value))
            });
            let builder = <$builder>::new().with_url(url.as_str());
            let store = known
                .fold(builder, |builder, (key, value)| {
                    builder.with_config(key, value)
                })
                .with_client_options(client_options)
                .with_http_connector(client)
                .build();
            Ok(behind(store.map_err(|error| named(&error))?, prefix))
        }};
    }
    match scheme {
        ObjectStoreScheme::AmazonS3 => built!(
            AmazonS3Builder,
            AmazonS3ConfigKey,
            settings_of(&options.settings, "AWS_"),
            &["aws_endpoint_url_s3", "aws_endpoint", "aws_endpoint_url"]
        ),
        ObjectStoreScheme::MicrosoftAzure => built!(
            MicrosoftAzureBuilder,
            AzureConfigKey,
            settings_of(&options.settings, "AZURE_"),
            &["azure_storage_endpoint", "azure_endpoint"]
        ),
        _ => Err(named(&"is no s3:// and no az://")),
    }
}

fn behind(store: impl ObjectStore, prefix: Path) -> Arc<dyn ObjectStore> {
    if prefix.as_ref().is_empty() {
        Arc::new(store)
    } else {
        Arc::new(PrefixStore::new(store, prefix))
    }
}

/// The environment's settings, then the plan's: the last of a name counts.
fn settings_of(plan: &[(&'static str, String)], prefix: &str) -> Vec<(String, String)> {
    let names = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        let value = value.into_string().ok()?;
        (name.starts_with(prefix) && !value.is_empty()).then(|| (name.to_ascii_lowercase(), value))
    });
    let mut settings: Vec<(String, String)> = names.collect();
    // Whatever order the environment has, of two names for one setting the same wins.
    settings.sort();
    settings.extend(
        plan.iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    settings
}

fn value<'a>(settings: &'a [(String, String)], names: &[&str]) -> Option<&'a str> {
    let mut found = settings
        .iter()
        .rev()
        .filter(|(name, _)| names.contains(&name.as_str()));
    found.next().map(|(_, value)| value.as_str())
}

fn connector(endpoint: Option<&str>, options: &StoreOptions) -> Result<Connector, String> {
    let mut is_here = false;
    if let Some(endpoint) = endpoint {
        let url = Url::parse(endpoint).map_err(|error| format!("endpoint {endpoint}: {error}"))?;
        is_here = url.host_str().is_some_and(is_this_machine);
        if url.scheme() != "https" && !is_here && !options.plain_http {
            return Err(format!(
                "plain http to {endpoint} would carry credentials and recordings in clear; use \
                 https, or set staging.plain_http = true"
            ));
        }
    }
    let mut side = Side::default();
    if let Some(file) = &options.ca {
        side.trust(file).map_err(|error| error.to_string())?;
    }
    let client = client_for(&side, is_here, Some(SILENCE));
    client
        .map(Connector)
        .ok_or_else(|| "the TLS library does not start on this machine".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(
        url: &str,
        settings: &[(&'static str, &str)],
        plain_http: bool,
    ) -> Result<(), String> {
        let options = StoreOptions {
            settings: settings
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            ca: None,
            plain_http,
        };
        open(&Url::parse(url).expect("a URL"), &options).map(drop)
    }

    #[test]
    fn a_store_is_opened_by_its_url_and_settings() {
        let s3 = [("aws_region", "eu-central-1")];
        assert_eq!(opened("s3://bucket/a/b", &s3, false), Ok(()));
        let azure = [
            ("azure_storage_account_name", "acme"),
            ("azure_storage_account_key", "bm8ga2V5"),
        ];
        assert_eq!(opened("az://container", &azure, false), Ok(()));
        let nobody = opened("az://container", &[], false).expect_err("no account");
        assert!(nobody.contains("Account"), "{nobody}");
        assert!(opened("ftp://host/x", &[], false).is_err());
    }

    #[test]
    fn plain_http_goes_to_this_machine_alone() {
        let with = |endpoint| [("aws_endpoint", endpoint), ("aws_region", "us-east-1")];
        assert_eq!(
            opened("s3://b", &with("http://127.0.0.1:9000"), false),
            Ok(())
        );
        let why = opened("s3://b", &with("http://store.acme.example"), false).expect_err("plain");
        assert!(why.contains("plain_http"), "{why}");
        assert_eq!(
            opened("s3://b", &with("http://store.acme.example"), true),
            Ok(())
        );
        assert!(opened("s3://b", &with("nonsense"), true).is_err());
    }
}
