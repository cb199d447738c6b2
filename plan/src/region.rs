//! Where Genesys Cloud lives.

/// AWS region and the domain of its hosts (`api.` and `login.` before it).
/// Source: region hosts of the vendor's Python SDK (documented); the pairing with AWS region names is the vendor's list of regions.
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
    ("us-gov-east-1", "use2.us-gov-pure.cloud"),
    ("eusc-de-east-1", "edee1.eusc-pure.cloud"),
];

pub(crate) fn domain(region: &str) -> Option<&'static str> {
    REGIONS.iter().find(|(name, _)| *name == region).map(|(_, domain)| *domain)
}

/// Whether a host belongs to the vendor, so that what is not in the public API is never tried there.
#[must_use]
pub fn is_vendor_host(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let families = REGIONS.iter().map(|(_, domain)| *domain).chain(["pure.cloud", "us-gov-pure.cloud", "eusc-pure.cloud", "inindca.com"]);
    families.into_iter().any(|domain| host == domain || host.ends_with(&format!(".{domain}")))
}
