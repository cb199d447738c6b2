//! Clients whose vendor hosts are written into them, on one port: nothing of them is changed but
//! who answers to a name and, under TLS, whom they trust.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{NO_LIMITS, Simulation};

fn scenario() -> String {
    format!(
        "about = \"One port.\"\nseed = 7\n[world]\ninteractions = \
         20\n{NO_LIMITS}\n[legacy.limits]\nredirect_share = 1.0\n[expect]\nverdict = \"match\"\n"
    )
}

fn simulation(tls: bool) -> Simulation {
    let with_tls = ["--one-port", "0", "--tls", "--ca", "ca.pem"];
    Simulation::start_with(&scenario(), if tls { &with_tls } else { &with_tls[..2] })
}

/// The port that all addresses name.
fn port(simulation: &Simulation) -> String {
    let address = |name: &str| simulation.addresses[name].as_str().unwrap().to_owned();
    let port = address("control").rsplit_once(':').unwrap().1.to_owned();
    for name in ["legacy", "legacy_media", "genesys_cloud", "gir", "control"] {
        assert!(
            address(name).ends_with(&format!(".seatrial.test:{port}")),
            "{name}: {}",
            address(name)
        );
    }
    port
}

/// curl as anybody has it: names lead to this machine, everything else is as it would be towards
/// the vendor.
struct Curl<'a> {
    simulation: &'a Simulation,
    port: String,
}

impl Curl<'_> {
    /// Status and body.
    fn ask(&self, arguments: &[&str]) -> (u16, String) {
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--show-error",
            "--write-out",
            "\n%{http_code}",
            "--noproxy",
            "*",
            "--location",
        ]);
        // Whatever host and port are asked for.
        command
            .arg("--connect-to")
            .arg(format!("::127.0.0.1:{}", self.port));
        let ca = self.simulation.file("ca.pem");
        if ca.exists() {
            command.arg("--cacert").arg(ca);
        }
        let output = command.args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let (body, status) = said.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let (status, body) = self.ask(arguments);
        assert!(
            (200..300).contains(&status),
            "{arguments:?}: {status} {body}"
        );
        serde_json::from_str(&body).unwrap()
    }

    fn token(&self, url: &str, client: &Value) -> String {
        let account = format!(
            "{}:{}",
            client["client_id"].as_str().unwrap(),
            client["client_secret"].as_str().unwrap()
        );
        let answer = self.json(&[
            "--user",
            &account,
            "--data",
            "grant_type=client_credentials",
            url,
        ]);
        format!(
            "authorization: Bearer {}",
            answer["access_token"].as_str().unwrap()
        )
    }
}

#[test]
#[ignore = "needs curl; ./check runs it"]
fn a_client_with_the_vendors_hosts_written_into_it_runs_as_it_is() {
    for (tls, scheme) in [(false, "http"), (true, "https")] {
        let simulation = simulation(tls);
        let curl = Curl {
            simulation: &simulation,
            port: port(&simulation),
        };
        let credentials = curl.json(&[&format!(
            "{scheme}://control.seatrial.test/_sim/credentials"
        )]);
        let cloud = curl.token(
            &format!("{scheme}://login.mypurecloud.com/oauth/token"),
            &credentials["genesys_cloud"],
        );
        for host in [
            "api.mypurecloud.com",
            "api.mypurecloud.ie",
            "api.usw2.pure.cloud",
            "genesys-cloud.seatrial.test",
        ] {
            let users = curl.json(&[
                "--header",
                &cloud,
                &format!("{scheme}://{host}/api/v2/users?pageSize=100"),
            ]);
            assert!(users["total"].as_u64().unwrap() > 0, "{host}");
        }
        // The source's media lie on a host of their own, and the redirect names it as this client
        // reaches it.
        let source = format!("{scheme}://legacy.seatrial.test");
        let token = curl.token(&format!("{source}/oauth/token"), &credentials["legacy"]);
        let page = curl.json(&[
            "--header",
            &token,
            &format!("{source}/api/v2/analytics/interactions/query?view=default&size=20"),
        ]);
        let recordings = page["entities"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|entity| entity["recordings"].as_array().unwrap());
        let id = recordings
            .filter_map(|recording| recording["id"].as_str())
            .next()
            .unwrap()
            .to_owned();
        let media = simulation.file("media");
        // curl keeps the token to itself when it is led to another host, as the media's host
        // demands.
        let (status, _) = curl.ask(&[
            "--header",
            &token,
            "--output",
            media.to_str().unwrap(),
            &format!("{source}/api/v2/recordings/{id}/media"),
        ]);
        assert_eq!(status, 200);
        assert!(std::fs::metadata(&media).unwrap().len() > 0);
        let account = |name: &str| {
            format!(
                "{}:{}",
                credentials[name]["username"].as_str().unwrap(),
                credentials[name]["password"].as_str().unwrap()
            )
        };
        for (name, path, status) in [
            ("gir", "/api/v2/ops/contact-centers", 200),
            ("webdav", "/recordings/none.mp3", 404),
        ] {
            let url = format!("{scheme}://{name}.seatrial.test{path}");
            assert_eq!(
                curl.ask(&["--user", &account(name), &url]).0,
                status,
                "{url}"
            );
        }
        let (status, told) = curl.ask(&[&format!(
            "{scheme}://{}/",
            if tls {
                "localhost"
            } else {
                "elsewhere.example"
            }
        )]);
        assert_eq!(status, if tls { 404 } else { 421 }, "{told}");
        let lines = curl
            .ask(&[&format!(
                "{scheme}://127.0.0.1/_sim/journal?platform=legacy"
            )])
            .1;
        assert!(lines.contains("legacy.get_presigned"), "{lines}");
    }
}

#[test]
#[ignore = "needs curl; ./check runs it"]
fn a_name_that_is_nobodys_is_not_in_the_certificate() {
    let simulation = simulation(true);
    let port = port(&simulation);
    let ca = simulation.file("ca.pem");
    let ask = |host: &str, ca: Option<&Path>| {
        let mut command = Command::new("curl");
        command
            .args(["--silent", "--noproxy", "*", "--connect-to"])
            .arg(format!("::127.0.0.1:{port}"));
        ca.into_iter()
            .for_each(|ca| _ = command.arg("--cacert").arg(ca));
        command
            .arg(format!("https://{host}/_sim/health"))
            .output()
            .unwrap()
            .status
            .code()
    };
    // 60: the peer's certificate cannot be authenticated.
    assert_eq!(
        (
            ask("control.seatrial.test", Some(&ca)),
            ask("elsewhere.example", Some(&ca)),
            ask("control.seatrial.test", None)
        ),
        (Some(0), Some(60), Some(60))
    );
}

#[test]
#[ignore = "needs the vendor's Python SDK; ./check runs it"]
fn the_vendors_sdk_runs_with_no_change_to_its_hosts() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let simulation = simulation(true);
    let mut python = Command::new(root.join("target/sdk/python/bin/python"));
    let output = python
        .arg(root.join("tests/sdk/hosts.py"))
        .arg(port(&simulation))
        .arg(simulation.file("ca.pem"))
        .output()
        .unwrap();
    let (said, wrong) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{said}\n{wrong}\n{}",
        simulation.file("ca.pem").display()
    );
    let said: Value = serde_json::from_str(said.trim()).unwrap();
    assert_eq!(
        (&said["host"], &said["page"]),
        (&"https://api.mypurecloud.com".into(), &1.into()),
        "{said}"
    );
    assert!(said["users"].as_u64().unwrap() > 0, "{said}");
}
