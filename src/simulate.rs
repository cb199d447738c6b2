//! `simulate`.

use std::path::Path;

use simulator::{ClockMode, OnePort, Options, Simulator};

use crate::cli::{Output, Simulate};
use crate::interrupt::stop_signal;
use crate::terminal;
use rehearsal::{Ending, Scenario};

/// `seatrial simulate SCENARIO`.
pub(crate) async fn run(arguments: Simulate, output: Output) -> Ending {
    let bad = |error: String| terminal::fail(Ending::BadCall, &error);
    // The whole file is read, so that a mistake in what only a rehearsal judges is named here too.
    let Scenario { setup, plan, .. } = match Scenario::read(&arguments.scenario) {
        Ok(scenario) => scenario,
        Err(error) => return bad(error.to_string()),
    };
    if setup.clock.mode == ClockMode::Virtual {
        return bad(format!(
            "{}: a virtual clock needs the clients in the same process; use rehearse, or mode = \
             \"scaled\"",
            setup.name
        ));
    }
    let ports = arguments.ports();
    let one_port = arguments.one_port.map(|port| OnePort {
        port,
        tls: arguments.tls,
    });
    let day = arguments.day.unwrap_or_else(simulator::today);
    let options = Options {
        ports,
        one_port,
        seed: arguments.seed,
        served_on: Some(day),
        ..Options::default()
    };
    let is_generated = setup.world.file.is_none();
    let simulator = match Simulator::start(setup, options).await {
        Ok(simulator) => simulator,
        Err(error) => return bad(error.to_string()),
    };
    if let Err(sentence) = write_files(&simulator, &plan, &arguments) {
        return bad(sentence);
    }
    let addresses = simulator.addresses();
    if output.json {
        terminal::document(addresses);
    } else {
        for (platform, url) in addresses.named() {
            terminal::say(&format!("{platform:<14}{url}"));
        }
        for notice in simulator.notices() {
            terminal::say(&notice);
        }
        if is_generated {
            terminal::say(&format!(
                "the world is that of {day}: with --day {day} the same calls are served again on \
                 another day"
            ));
        }
        terminal::say("serving until Ctrl-C");
    }
    stop_signal().await;
    terminal::tell(&format!("stopped after {} requests", simulator.requests()));
    Ending::Done
}

fn write_files(
    simulator: &Simulator,
    overrides: &toml::Table,
    arguments: &Simulate,
) -> Result<(), String> {
    if let Some(path) = &arguments.plan {
        let named = path.file_name().is_some_and(|name| name == "plan.toml");
        if !named {
            return Err(format!(
                "--plan {}: name a file called plan.toml; its mapping tables and secrets are \
                 written beside it",
                path.display()
            ));
        }
        let dir = path
            .parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        simulator
            .write_plan_with(dir, overrides)
            .map_err(|error| error.to_string())?;
    }
    if let (Some(path), Some(pem)) = (&arguments.ca, simulator.ca_pem()) {
        output::private::write(path, pem)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    // Last and in one piece: who waits for the addresses finds the plan too.
    if let Some(path) = &arguments.addresses {
        let refuse = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
        let text = serde_json::to_string_pretty(simulator.addresses())
            .map_err(|error| error.to_string())?;
        output::private::replace(path, text).map_err(refuse)?;
    }
    Ok(())
}
