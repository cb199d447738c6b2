//! The table of operations against the routes: what it says is served is served, under that name
//! and for those permissions.

use super::*;
use crate::operations::{self, Operation};

/// Every request of this platform.
fn requests() -> impl Iterator<Item = &'static Operation> {
    operations::all().filter(|one| one.name.starts_with("genesys_cloud.") && !one.is_inside())
}

/// An address of an operation, its variable parts filled in.
fn address(operation: &Operation) -> String {
    let steps = operation.path.split('/').map(|step| match step {
        "{kind}" => "batch",
        step if step.starts_with('{') => "00000000-0000-4000-8000-000000000001",
        step => step,
    });
    steps.collect::<Vec<_>>().join("/")
}

impl World {
    /// The operation that the last line of the journal names.
    fn last_operation(&self) -> String {
        self.core
            .journal
            .page(None, 0, usize::MAX, crate::journal::Digests::Hidden)
            .last()
            .expect("a line")
            .operation
            .to_string()
    }
}

#[tokio::test]
async fn every_operation_of_the_table_is_served_under_its_name() {
    let world = World::unlimited().await;
    for operation in requests() {
        world
            .json(operation.method, &address(operation), &json!({}))
            .await;
        assert_eq!(
            world.last_operation(),
            operation.name,
            "{} {}",
            operation.method,
            operation.path
        );
    }
    world.json("GET", "/api/v2/nowhere", &json!({})).await;
    assert_eq!(world.last_operation(), "genesys_cloud.unknown_path");
}

#[tokio::test]
async fn every_permission_of_the_table_is_asked_for() {
    for operation in requests() {
        for need in operation.needs {
            let settings = Settings {
                missing_scopes: vec![(*need).to_owned()],
                ..Settings::default()
            };
            let answer = World::with(settings)
                .await
                .json(operation.method, &address(operation), &json!({}))
                .await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.code()),
                (403, "missing.permissions"),
                "{} without {need}",
                operation.name
            );
            assert!(
                answer.json()["message"]
                    .as_str()
                    .expect("words")
                    .contains(need),
                "{}",
                operation.name
            );
        }
    }
}

#[tokio::test]
async fn an_absent_operation_is_404_by_any_method_though_its_name_has_the_form_of_an_id() {
    let world = World::unlimited().await;
    for method in ["GET", "POST", "DELETE"] {
        let answer = world
            .json(method, "/api/v2/audits/query/realtime", &json!({}))
            .await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.code()),
            (404, "not.found"),
            "{method}"
        );
    }
    assert_eq!(
        world
            .json("DELETE", "/api/v2/routing/skills", &json!({}))
            .await
            .code(),
        "method.not.allowed"
    );
}
