//! However a conversation's events are split, repeated or ordered, the organisation holds the same
//! in the end.

use std::{cell::Cell, task::Poll};

use futures_util::future::join_all;
use proptest::prelude::*;

use super::*;

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(work)
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

/// Lets the others go first, as often as `seed` says.
async fn stand_back(seed: Seed) {
    let left = Cell::new(seed.below(5));
    std::future::poll_fn(|context| {
        if left.get() == 0 {
            return Poll::Ready(());
        }
        left.set(left.get() - 1);
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl World {
    /// One call as a worker brings it in: what fails is tried again, an upload that failed is
    /// uploaded again.
    async fn bring_in(&self, number: u64, seed: Seed) {
        let events = call_events(number);
        for half in [&events[..9], &events[9..]] {
            loop {
                stand_back(seed).await;
                let answer = self.post(EVENTS, &batch(half)).await;
                if answer.status == 200 && answer.json()["errors"] == json!([]) {
                    break;
                }
            }
        }
        let zip = package(&metadata(number), &number.to_be_bytes());
        for _ in 0..10 {
            stand_back(seed.child("upload")).await;
            let asked = json!({"fileName": name_of(number)});
            let announced = self.post("/api/v2/uploads/recordings", &asked).await;
            if announced.status == 200
                && self.put(&announced.json(), &zip, |_| true).await.status == 200
            {
                let is_there = self.recordings(number).await != json!([]);
                if is_there {
                    return;
                }
            }
        }
        panic!("call {number} never came in");
    }
}

#[test]
fn any_number_of_workers_under_faults_leaves_the_same_truth_and_effects() {
    let rules: Vec<FaultRule> = [
        "on = 'genesys_cloud.inject_events'\nkind = 'server_error'\nshare = \
         0.3\nheal_after_attempts = 2",
        "on = 'genesys_cloud.inject_events'\nkind = 'error_after_commit'\nshare = \
         0.2\nheal_after_attempts = 1",
        "on = 'genesys_cloud.inject_events'\nkind = 'too_many_requests'\nshare = \
         0.1\nheal_after_attempts = 1",
        "on = 'genesys_cloud.create_upload'\nkind = 'error_after_commit'\nshare = \
         0.4\nheal_after_attempts = 1",
        "on = 'genesys_cloud.put_upload'\nkind = 'error_after_commit'\nshare = \
         0.4\nheal_after_attempts = 1",
        "on = 'genesys_cloud.process_upload'\nkind = 'upload_failed'\nshare = \
         0.4\nheal_after_attempts = 1",
    ]
    .iter()
    .map(|text| toml::from_str(text).expect("a rule"))
    .collect();
    let with_workers = |workers: u64| {
        run(async {
            let world =
                World::with_faults(unlimited(PublicSettings::default()), rules.clone()).await;
            let world = &world;
            let lanes = (0..workers).map(|worker| async move {
                for number in (1..=12_u64)
                    .rev()
                    .filter(|number| number % workers == worker)
                {
                    world
                        .bring_in(number, Seed::new(workers).index(number))
                        .await;
                }
            });
            join_all(lanes).await;
            let struck: Vec<String> = world
                .core
                .faults
                .injected()
                .into_iter()
                .map(|one| one.id)
                .collect();
            (world.truth(), world.core.journal.effects(), struck)
        })
    };
    let alone = with_workers(1);
    assert!(
        alone.2.len() > 20,
        "the faults must strike: {}",
        alone.2.len()
    );
    for workers in [3, 12] {
        assert_eq!(with_workers(workers), alone, "{workers} workers");
    }
}
