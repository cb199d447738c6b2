//! Hosts that are written into clients of Genesys Cloud.

/// Domains of Genesys Cloud's regions; `api.` and `login.` before each are the organisation.
/// Source: the vendor's Python SDK, purecloud_region_hosts.py.
pub const REGIONS: [&str; 18] = [
    "mypurecloud.com",
    "mypurecloud.ie",
    "mypurecloud.com.au",
    "mypurecloud.jp",
    "mypurecloud.de",
    "usw2.pure.cloud",
    "cac1.pure.cloud",
    "apne2.pure.cloud",
    "apne3.pure.cloud",
    "euw2.pure.cloud",
    "euc2.pure.cloud",
    "aps1.pure.cloud",
    "apse1.pure.cloud",
    "sae1.pure.cloud",
    "mec1.pure.cloud",
    "mxc1.pure.cloud",
    "use2.us-gov-pure.cloud",
    "edee1.eusc-pure.cloud",
];
