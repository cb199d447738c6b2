//! `self-test`: every class of defect is planted, and must be found, rightly named, at its record.

use rehearsal::Ending;

use crate::cli::{Output, SelfTest};
use crate::terminal;

/// `seatrial self-test`.
pub(crate) async fn run(arguments: SelfTest, output: Output) -> Ending {
    let test = rehearsal::self_test::SelfTest {
        seed: arguments.seed,
        classes: arguments.class.into_iter().collect(),
        ways: arguments.target.into_iter().map(Into::into).collect(),
    };
    let tried = tokio::task::spawn_blocking(move || test.run(&terminal::tell)).await;
    let tested = match tried {
        Ok(Ok(tested)) => tested,
        Ok(Err(refusal)) => return terminal::fail(refusal.ending, &refusal.sentence),
        Err(error) => {
            return terminal::fail(Ending::OurBug, &format!("the self-test broke off: {error}"));
        }
    };
    if output.json {
        terminal::document(&tested);
    } else {
        tested.lines().iter().for_each(|line| terminal::say(line));
        terminal::say(&tested.sentence());
    }
    if tested.holds() {
        Ending::Done
    } else {
        Ending::Unexpected
    }
}
