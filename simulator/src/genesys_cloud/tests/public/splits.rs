//! However a conversation's events are split, repeated or ordered, the organisation holds the same in the end.

use proptest::prelude::*;

use super::*;

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// Truth and effects of two calls, each sent as one batch.
fn whole() -> (String, String) {
    run(async {
        let world = World::public(PublicSettings::default()).await;
        world.injected(1).await;
        world.injected(2).await;
        (world.truth(), world.core.journal.effects())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_of_the_calls_with_repetitions_gives_the_same_truth(cuts in proptest::collection::vec(1_usize..8, 34), twice in any::<u64>()) {
        let both: Vec<(&str, Value)> = call_events(1).into_iter().chain(call_events(2)).collect();
        let got = run(async {
            let world = World::public(PublicSettings::default()).await;
            let (mut at, mut cuts) = (0, cuts.into_iter());
            while at < both.len() {
                let to = (at + cuts.next().unwrap_or(1)).min(both.len());
                let repeated = both[..at].iter().enumerate().filter(|(index, _)| twice >> index & 1 == 1).map(|(_, event)| event.clone());
                let sent: Vec<(&str, Value)> = both[at..to].iter().cloned().chain(repeated).collect();
                assert_eq!(world.inject(&sent).await, Vec::<Value>::new());
                at = to;
            }
            (world.truth(), world.core.journal.effects())
        });
        prop_assert_eq!(got, whole());
    }

    #[test]
    fn events_in_any_order_come_to_the_same_when_the_retryable_are_sent_again(mut order in Just((0_usize..17).collect::<Vec<_>>()).prop_shuffle()) {
        let events = call_events(1);
        let got = run(async {
            let world = World::public(PublicSettings::default()).await;
            for _ in 0..17 {
                let mut left = Vec::new();
                for at in order {
                    let errors = world.inject(&events[at..=at]).await;
                    assert!(errors.iter().all(|error| error["retryable"] == true), "{errors:?}");
                    left.extend(errors.first().map(|_| at));
                }
                order = left;
                if order.is_empty() {
                    break;
                }
            }
            assert!(order.is_empty());
            world.injected(2).await;
            (world.truth(), world.core.journal.effects())
        });
        prop_assert_eq!(got, whole());
    }
}
