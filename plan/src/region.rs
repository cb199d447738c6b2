//! Where Genesys Cloud lives.

use url::Url;

/// The vendor's region name (AWS's, except `us-east-2`, its FedRAMP region) and the domain of its
/// hosts (`api.` and `login.` before it). Source: region hosts of the vendor's Python SDK,
/// PureCloudRegionHosts (documented).
pub const REGIONS: [(&str, &str); 18] = [
    ("us-east-1", "mypurecloud.com"),
    ("eu-west-1", "mypurecloud.ie"),
    ("ap-southeast-2", "mypurecloud.com.au"),
    ("ap-northeast-1", "mypurecloud.jp"),
    ("eu-central-1", "mypurecloud.de"),
    ("us-west-2", "usw2.pure.cloud"),
    ("ca-central-1", "cac1.pure.cloud"),
    ("ap-northeast-2", "apne2.pure.cloud"),
    ("ap-northeast-3", "apne3.pure.cloud"),
    ("eu-west-2", "euw2.pure.cloud"),
    ("eu-central-2", "euc2.pure.cloud"),
    ("ap-south-1", "aps1.pure.cloud"),
    ("ap-southeast-1", "apse1.pure.cloud"),
    ("sa-east-1", "sae1.pure.cloud"),
    ("me-central-1", "mec1.pure.cloud"),
    ("mx-central-1", "mxc1.pure.cloud"),
    ("us-east-2", "use2.us-gov-pure.cloud"),
    ("eusc-de-east-1", "edee1.eusc-pure.cloud"),
];

/// The domain of a region, given by its name or by the domain itself, in any case. `None`: no such
/// region.
pub(crate) fn domain(region: &str) -> Option<&'static str> {
    let region = region.trim().to_ascii_lowercase();
    REGIONS
        .iter()
        .find(|(name, domain)| *name == region || *domain == region)
        .map(|(_, domain)| *domain)
}

/// The known name or domain that an unknown region is nearest to.
pub(crate) fn nearest(region: &str) -> &'static str {
    let known: Vec<&str> = REGIONS
        .iter()
        .flat_map(|(name, domain)| [*name, *domain])
        .collect();
    crate::error::nearest(region.trim(), &known).unwrap_or_default()
}

/// Root of an API, by its address or its region; `None` where neither leads to one.
pub(crate) fn api_url(base_url: Option<&Url>, region: Option<&str>) -> Option<Url> {
    base_url.cloned().or_else(|| {
        let domain = domain(region?)?;
        Url::parse(&format!("https://api.{domain}")).ok()
    })
}

/// Where tokens are issued: at the login host, or the API's host with `api.` turned into `login.`,
/// as the vendor's SDKs do.
pub(crate) fn token_url(login_url: Option<Url>, api_url: Option<Url>) -> Option<Url> {
    let is_given = login_url.is_some();
    let mut root = login_url.or(api_url)?;
    if !is_given {
        let login = root
            .host_str()
            .and_then(|host| host.strip_prefix("api."))
            .map(|rest| format!("login.{rest}"));
        if let Some(login) = login {
            root.set_host(Some(&login)).ok()?;
        }
    }
    root.join("/oauth/token").ok()
}

/// Whether a host belongs to the vendor, so that what is not in the public API is never tried
/// there.
#[must_use]
pub fn is_vendor_host(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let families = REGIONS.iter().map(|(_, domain)| *domain).chain([
        "pure.cloud",
        "us-gov-pure.cloud",
        "eusc-pure.cloud",
        "inindca.com",
    ]);
    families
        .into_iter()
        .any(|domain| host == domain || host.ends_with(&format!(".{domain}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_found_by_name_and_by_domain() {
        for (name, wanted) in REGIONS {
            assert_eq!((domain(name), domain(wanted)), (Some(wanted), Some(wanted)));
            assert!(
                is_vendor_host(&format!("api.{wanted}"))
                    && is_vendor_host(&format!("login.{wanted}")),
                "{wanted}"
            );
        }
        assert_eq!(domain(" MyPureCloud.IE "), Some("mypurecloud.ie"));
        for unknown in [
            "",
            "cloud",
            "mypurecloud",
            "us-east-9",
            "api.mypurecloud.ie",
        ] {
            assert_eq!(domain(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn an_unknown_region_leads_to_the_nearest() {
        for (unknown, wanted) in [
            ("us-est-1", "us-east-1"),
            ("mypurecloud.i", "mypurecloud.ie"),
            ("EUW-2.pure.cloud", "euw2.pure.cloud"),
        ] {
            assert_eq!(nearest(unknown), wanted);
        }
    }
}
